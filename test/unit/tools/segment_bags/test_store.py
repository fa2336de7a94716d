# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Archive and output in a store of fsspec: the same masks, finished bags are recognised, unfinished and foreign ones told apart."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stored_archives import Expected, messages, put, report
from street_bags import read_messages, write_street_bag

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.remote_path import RemotePath, any_path
from fanet_ros.tools.compare_masks.command import main as compare_masks
from fanet_ros.tools.cut_frames.command import main as cut_frames
from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.done import DONE
from fanet_ros.tools.segment_bags.find import find_bags
from fanet_ros.tools.segment_bags.store import INDEX, UPLOADING, move_into_place

ARCHIVE, OUTPUT = 'memory://archive', 'memory://masks'


def run(tmp_path: Path, quick: list[str], *more: str, output: str = OUTPUT, source: str = ARCHIVE) -> int:
    return main([source, '--output', output, '--work', str(tmp_path / 'work'), '--unit', '40', '--threads', '1', *quick, *more])


def states() -> dict[str, str]:
    return {bag['name']: bag['state'] for bag in report(OUTPUT)['bags']}


@pytest.fixture(name='filled')
def filled_fixture(tmp_path: Path, files: Any) -> Any:
    """The file system, with a short bag and one of 100 images below ARCHIVE."""
    put(write_street_bag(tmp_path / 'in/short', 3), f'{ARCHIVE}/mon/short')
    put(write_street_bag(tmp_path / 'in/long', 100), f'{ARCHIVE}/tue/long')
    return files


def test_masks_equal_those_of_segment_bag_and_are_made_once(
        tmp_path: Path, filled: Any, quick: list[str], expected: Expected, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, quick) == 0
    assert f'{OUTPUT}: 2 bags done' in capsys.readouterr().out
    assert messages(f'{OUTPUT}/mon/short') == expected(3) and messages(f'{OUTPUT}/tue/long') == expected(100)
    objects = RemotePath(OUTPUT).objects()
    assert sorted(name for name in objects if not name.endswith('.parquet')) == [
        'mon/short/metadata.yaml', f'mon/short/{DONE}', 'mon/short/short.mcap', 'report.json', INDEX, 'tue/long/long.mcap',
        'tue/long/metadata.yaml', f'tue/long/{DONE}']
    assert not [path for path in (tmp_path / 'work').rglob('*') if path.name.endswith(('.partial', '.parquet'))]

    put(tmp_path / 'in/short', f'{ARCHIVE}/mon/short')          # as if recorded again
    filled.rm_file(f'{OUTPUT}/{INDEX}')                         # a run that was killed left none
    before = {name: about.identity for name, about in RemotePath(OUTPUT).objects().items()}
    assert run(tmp_path, quick) == 0
    assert states() == {'mon/short': 'done', 'tue/long': 'skipped'}
    after = {name: about.identity for name, about in RemotePath(OUTPUT).objects().items()}
    assert {name.partition('/')[0] for name in after if after[name] != before.get(name) and '/' in name} == {'mon'}
    assert messages(f'{OUTPUT}/mon/short') == expected(3)
    assert run(tmp_path, quick) == 0 and set(states().values()) == {'skipped'}


def test_the_joined_table_has_the_rows_of_all_bags(tmp_path: Path, filled: Any, quick: list[str]) -> None:
    pytest.importorskip('pyarrow')
    import pyarrow.parquet
    assert run(tmp_path, quick, source=f'{ARCHIVE}/mon/short') == 0 and run(tmp_path, quick) == 0
    rows = pyarrow.parquet.read_table('masks/frames.parquet', filesystem=filled).to_pylist()
    assert [row['bag'] for row in rows] == ['mon/short'] * 3 + ['short'] * 3 + ['tue/long'] * 100
    assert not filled.exists(f'{OUTPUT}/frames.parquet.stale')
    filled.pipe_file(f'{OUTPUT}/frames.parquet.stale', b'')     # left by a run that was killed
    filled.rm_file(f'{OUTPUT}/frames.parquet')
    assert run(tmp_path, quick) == 0 and set(states().values()) == {'skipped'}
    assert pyarrow.parquet.read_table('masks/frames.parquet', filesystem=filled).num_rows == 106


def test_half_a_bag_is_uploaded_again_and_a_foreign_folder_is_left_alone(
        tmp_path: Path, filled: Any, quick: list[str], expected: Expected, capsys: pytest.CaptureFixture[str]) -> None:
    filled.pipe_file(f'{OUTPUT}/mon/short/{UPLOADING}', b'')
    filled.pipe_file(f'{OUTPUT}/mon/short/short.mcap', b'half')
    filled.pipe_file(f'{OUTPUT}/tue/long/precious', b'')
    assert run(tmp_path, quick) == 1
    assert 'tue/long: failed: memory://masks/tue/long was not written by segment_bags' in capsys.readouterr().err
    assert messages(f'{OUTPUT}/mon/short') == expected(3) and not filled.exists(f'{OUTPUT}/mon/short/{UPLOADING}')
    assert list((RemotePath(OUTPUT) / 'tue').objects()) == ['long/precious']


def test_the_archive_as_output_is_not_overwritten(tmp_path: Path, filled: Any, quick: list[str]) -> None:
    before = dict(filled.store)
    assert run(tmp_path, quick, '--root', ARCHIVE, output=ARCHIVE, source=f'{ARCHIVE}/mon') == 2
    assert {name: filled.store[name] for name in before} == before


def make(folder: Path, file: str, key: str) -> None:
    """A bag made with these options."""
    folder.mkdir()
    (folder / file).touch()
    (folder / DONE).write_text(json.dumps({'input': '', 'key': key, 'table': True}))


@pytest.mark.parametrize('kind', ['local', 'remote'])
def test_the_same_bag_finished_by_a_worker_of_a_killed_run_stays(tmp_path: Path, files: Any, kind: str) -> None:
    output = f'{OUTPUT}/a' if kind == 'remote' else str(tmp_path / 'masks')
    for name, key in (('first', 'same'), ('second', 'same'), ('third', 'other')):
        make(tmp_path / name, name, key)
    move_into_place(tmp_path / 'first', any_path(output), False)
    move_into_place(tmp_path / 'second', any_path(output), False)
    with pytest.raises(BagError, match=f'^{output} was '):
        move_into_place(tmp_path / 'third', any_path(output), False)
    assert sorted(file.name for file in any_path(output).iterdir()) == ['first', DONE]


def test_a_bag_is_replaced_as_a_whole(tmp_path: Path, files: Any) -> None:
    output = f'{OUTPUT}/a'
    for name, file in (('old', 'a.db3'), ('new', 'a.mcap')):
        make(tmp_path / name, file, key=name)
    move_into_place(tmp_path / 'old', RemotePath(output), False)
    with pytest.raises(BagError, match='was not written'):
        move_into_place(tmp_path / 'new', RemotePath(output), False)
    assert sorted(RemotePath(output).objects()) == ['a.db3', DONE]
    move_into_place(tmp_path / 'new', RemotePath(output), True)
    assert sorted(RemotePath(output).objects()) == ['a.mcap', DONE]


def test_other_tools_read_a_remote_output(tmp_path: Path, filled: Any, quick: list[str]) -> None:
    assert run(tmp_path, quick, '--no-table') == 0
    stamp = 100 * 10**9 + 5 * 10**8 + 7
    (tmp_path / 'pick.csv').write_text(f'bag,topic,stamp_ns\ntue/long,/camera/image_raw,{stamp}\n')
    cut = tmp_path / 'cut'
    assert cut_frames([str(tmp_path / 'pick.csv'), '--archive', OUTPUT, '--output', str(cut), '--before', '0', '--after', '0']) == 0
    assert [topic for topic, _, _ in read_messages(cut / 'tue/long')].count('/segmentation/mask') == 1
    assert compare_masks([OUTPUT, OUTPUT, '--output', str(tmp_path / 'compared'), '--quiet']) == 0
    assert json.loads((tmp_path / 'compared/comparison.json').read_text())['agreement'] == 1


def test_a_list_names_bags_of_the_store(tmp_path: Path, filled: Any) -> None:
    filled.pipe_file(f'{ARCHIVE}/list.txt', f'tue/long\n# not today\n{ARCHIVE}/mon\nmon/missing\n'.encode())
    (tmp_path / 'local.txt').write_text(f'{ARCHIVE}/tue/long\n{ARCHIVE}/mon\n{ARCHIVE}/mon/missing\n')
    for source in (RemotePath(f'{ARCHIVE}/list.txt'), tmp_path / 'local.txt'):
        bags = find_bags([source], RemotePath(OUTPUT))
        assert [(bag.name, bag.input, bag.output) for bag in bags] == [
            (name, f'{ARCHIVE}/{name}', f'{OUTPUT}/{name}') for name in ('tue/long', 'mon/short', 'mon/missing')]
        assert [bool(bag.input_digest) for bag in bags] == [True, True, False]
    with pytest.raises(BagError, match='no folder contains all sources'):
        find_bags([RemotePath(ARCHIVE), tmp_path], RemotePath(OUTPUT))


@pytest.mark.parametrize('output', [[OUTPUT], ['masks', '--work', 'work']])
def test_a_remote_output_needs_a_folder_for_unfinished_work(output: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([ARCHIVE, '--output', *output])
    assert '--work DIR is needed for an --output in an object store' in capsys.readouterr().err
