# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which bags are found, and where their output goes."""
from __future__ import annotations

from pathlib import Path

import pytest

from fanet_ros.bags.errors import BagError
from fanet_ros.tools.segment_bags.find import check_output, find_bags


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(*sources: Path, output: Path = Path('/nowhere'), root: Path | None = None) -> dict[str, str]:
    bags = find_bags(sources, output, root)
    assert all(bag.output == str(output / bag.name) for bag in bags)
    return {bag.name: bag.input for bag in bags}


def test_a_folder_is_searched_and_its_tree_kept(tmp_path: Path) -> None:
    touch(tmp_path / 'mon/drive/metadata.yaml', tmp_path / 'mon/drive/inner/metadata.yaml', tmp_path / 'tue/deep/a_0.mcap',
          tmp_path / 'tue/deep/a_1.mcap', tmp_path / 'tue/notes/readme.md', tmp_path / '.cache/x/metadata.yaml')
    assert names(tmp_path) == {'mon/drive': str(tmp_path / 'mon/drive'), 'tue/deep': str(tmp_path / 'tue/deep')}


def test_links_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / 'disk/drive/metadata.yaml')
    (tmp_path / 'archive').mkdir()
    (tmp_path / 'archive' / 'mon').symlink_to(tmp_path / 'disk')
    (tmp_path / 'disk' / 'loop').symlink_to(tmp_path / 'disk')
    assert list(names(tmp_path / 'archive')) == ['mon/drive']


def test_files_of_several_recordings_in_a_folder_are_separate_bags(tmp_path: Path) -> None:
    touch(tmp_path / 'day/first.mcap', tmp_path / 'day/second.db3', tmp_path / 'day/third.mcap.zstd')
    assert names(tmp_path) == {'day/first': str(tmp_path / 'day/first.mcap'), 'day/second': str(tmp_path / 'day/second.db3'),
                               'day/third': str(tmp_path / 'day/third.mcap.zstd')}


def test_bags_below_a_folder_with_single_files_are_found_and_kept_apart(tmp_path: Path) -> None:
    touch(tmp_path / 'day/run.mcap', tmp_path / 'day/other.db3', tmp_path / 'day/run/part/metadata.yaml',
          tmp_path / 'day/run/part/inner/metadata.yaml')
    found = names(tmp_path)
    assert found == {'day/other': str(tmp_path / 'day/other.db3'), 'day/run.mcap': str(tmp_path / 'day/run.mcap'),
                     'day/run/part': str(tmp_path / 'day/run/part')}
    assert names(tmp_path / 'day') == found


def test_a_file_and_a_folder_of_the_same_name_get_different_outputs(tmp_path: Path) -> None:
    touch(tmp_path / 'a/metadata.yaml', tmp_path / 'a.mcap')
    assert names(tmp_path / 'a', tmp_path / 'a.mcap') == {'a': str(tmp_path / 'a'), 'a.mcap': str(tmp_path / 'a.mcap')}


def test_bags_of_the_same_name_are_distinguished_by_their_folders(tmp_path: Path) -> None:
    touch(tmp_path / 'mon/drive/metadata.yaml', tmp_path / 'tue/drive/metadata.yaml')
    assert list(names(tmp_path / 'mon', tmp_path / 'tue')) == ['mon/drive', 'tue/drive']
    assert list(names(tmp_path / 'mon')) == ['drive']
    assert list(names(tmp_path / 'mon', root=tmp_path)) == ['mon/drive']
    with pytest.raises(BagError, match='is not below'):
        names(tmp_path / 'mon', root=tmp_path / 'tue')


def test_paths_in_a_list_are_relative_to_its_folder(tmp_path: Path) -> None:
    touch(tmp_path / 'mon/drive/metadata.yaml', tmp_path / 'tue/drive/metadata.yaml')
    (tmp_path / 'list.txt').write_text(f'# bad weather\nmon/drive\n\n{tmp_path}/tue/drive\nmon/drive\nmon/missing\n')
    assert list(names(tmp_path / 'list.txt')) == ['mon/drive', 'tue/drive', 'mon/missing']      # reported when it is opened


def test_the_output_is_not_searched(tmp_path: Path) -> None:
    touch(tmp_path / 'drive/metadata.yaml', tmp_path / 'masks/drive/metadata.yaml', tmp_path / 'b.partial/metadata.yaml')
    assert list(names(tmp_path, output=tmp_path / 'masks')) == ['drive']


def test_bags_are_not_written_over_themselves(tmp_path: Path) -> None:
    mon = tmp_path / 'mon'
    touch(mon / 'drive/metadata.yaml', mon / 'a.mcap')
    for source, output in ((tmp_path, tmp_path), (mon / 'drive', mon), (mon, mon)):
        with pytest.raises(BagError, match='choose another --output'):
            check_output([source], find_bags([source], output), output)
    check_output([mon / 'a.mcap'], find_bags([mon / 'a.mcap'], mon), mon)       # gets a folder next to the file


def test_an_invalid_source_is_rejected(tmp_path: Path) -> None:
    (tmp_path / 'a.md').touch()
    for path in (tmp_path / 'a.md', tmp_path / 'nothing'):
        with pytest.raises(BagError, match='a folder with bags, or a text file'):
            names(path)
