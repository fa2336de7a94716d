# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags in a store of fsspec are read like those in a folder."""
from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from rosbags.rosbag2 import StoragePlugin
from stored_archives import messages
from street_bags import read_messages, write_street_bag

from fanet_ros.bags.bag_files import is_bag
from fanet_ros.bags.copying import custom_data_of, storage_of
from fanet_ros.bags.errors import BagError, StoreError
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.remote_path import RemotePath, any_path, common_folder, relative
from fanet_ros.tools.segment_bags.done import input_state

ROOT = 'memory://archive'


def put(files: Any, folder: Path) -> RemotePath:
    for path in folder.rglob('*'):
        if path.is_file():
            files.pipe_file(f'{ROOT}/{path.relative_to(folder.parent)}', path.read_bytes())
    return RemotePath(f'{ROOT}/{folder.name}')


def test_a_full_temporary_folder_is_not_taken_for_a_fault_of_the_store(
        tmp_path: Path, files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def into_a_full_disk(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    remote = put(files, write_street_bag(tmp_path / 'drive', 2, storage=StoragePlugin.SQLITE3))
    monkeypatch.setattr(type(files), 'get_file', into_a_full_disk)
    with pytest.raises(StoreError, match='No space left on device; free some space there or, .* in /.* set TMPDIR'):
        BagReader(remote)


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_a_bag_is_read_as_from_a_folder(tmp_path: Path, files: Any, storage: StoragePlugin) -> None:
    local = write_street_bag(tmp_path / 'drive', 30, storage=storage)
    remote = put(files, local)
    assert is_bag(remote) and storage_of(remote) is storage and custom_data_of(remote) == custom_data_of(local)
    with BagReader(str(remote)) as bag:
        assert bag.is_seekable == (storage is StoragePlugin.MCAP)      # sqlite3 is copied, so better only once
        assert [topic.count for topic in bag.list_topics()] == [30, 30]
    assert messages(remote) == read_messages(local)
    single = next(path for path in remote.iterdir() if path.suffix in ('.mcap', '.db3'))
    assert messages(single) == read_messages(local)


def test_compressed_files_and_files_without_metadata_are_read_too(tmp_path: Path, files: Any) -> None:
    local = write_street_bag(tmp_path / 'drive', 5)
    more = write_street_bag(tmp_path / 'more', 5, first=5)
    (tmp_path / 'split').mkdir()
    shutil.copy(local / 'drive.mcap', tmp_path / 'split/split_0.mcap')
    (tmp_path / 'split/split_1.mcap.zstd').write_bytes(zstd.compress((more / 'more.mcap').read_bytes()))
    remote = put(files, tmp_path / 'split')
    assert messages(remote) == read_messages(local) + read_messages(more)
    with BagReader(remote) as bag:
        assert not bag.is_seekable


def test_paths_behave_like_those_of_pathlib(files: Any) -> None:
    for name in ('a/b/one.mcap', 'a/two.txt', 'ab/three'):
        files.pipe_file(f'{ROOT}/{name}', name.encode())
    root = RemotePath(f'{ROOT}/')
    path = root / 'a' / 'b/one.mcap'
    assert (str(path), path.name, path.stem, path.suffix) == (f'{ROOT}/a/b/one.mcap', 'one.mcap', 'one', '.mcap')
    assert path.parent == root / 'a/b' and path.with_name('x') == root / 'a/b/x' and root / '../x' == RemotePath('memory://x')
    assert relative(path, root / 'a').as_posix() == 'b/one.mcap'
    for other in (root / 'b', RemotePath('s3://archive'), Path('/archive')):
        with pytest.raises(ValueError, match='one.mcap'):
            relative(path, other)
    assert path.is_file() and not path.is_dir() and (root / 'a').is_dir() and not (root / 'b').exists()
    assert [item.name for item in (root / 'a').iterdir()] == ['b', 'two.txt'] and path.read_text() == 'a/b/one.mcap'
    assert [(str(folder), names) for folder, names, _ in root.walk()] == [
        (ROOT, ['a', 'ab']), (f'{ROOT}/a', ['b']), (f'{ROOT}/a/b', []), (f'{ROOT}/ab', [])]
    assert sorted((root / 'a').objects()) == ['b/one.mcap', 'two.txt']
    assert common_folder([root / 'a/b', root / 'a']) == root / 'a' and common_folder([Path('/a/b'), Path('/a/c')]) == Path('/a')
    for paths in ([root, Path('/a')], [root, RemotePath('memory://other')], [root, RemotePath('s3://archive')]):
        with pytest.raises(ValueError, match='no folder'):
            common_folder(paths)
    assert any_path('a/b') == Path('a/b') and any_path(path) is path


def test_a_listing_is_made_once_and_a_new_path_looks_again(files: Any) -> None:
    root = RemotePath(ROOT)
    assert not (root / 'a').exists()
    files.pipe_file(f'{ROOT}/a', b'1')
    assert not (root / 'a').exists() and RemotePath(f'{ROOT}/a').is_file()


def test_the_state_changes_with_the_content(tmp_path: Path, files: Any) -> None:
    remote = put(files, write_street_bag(tmp_path / 'drive', 1))
    before, size = input_state(remote)
    assert size == sum(path.stat().st_size for path in (tmp_path / 'drive').iterdir())
    assert input_state(RemotePath(str(remote))) == (before, size)
    files.pipe_file(f'{remote}/drive.mcap', (remote / 'drive.mcap').read_bytes())      # as if recorded again
    assert input_state(RemotePath(str(remote)))[0] != before
    with pytest.raises(BagError, match='No such file'):
        input_state(RemotePath(f'{ROOT}/nothing'))


def test_a_store_that_fails_is_not_a_damaged_bag(tmp_path: Path, files: Any) -> None:
    remote = put(files, write_street_bag(tmp_path / 'drive', 100))
    with BagReader(remote) as bag:
        files.rm_file(f'{remote}/drive.mcap')
        with pytest.raises(StoreError, match='check the name, and whether it was removed'):
            list(bag.messages())
        files.pipe_file(f'{remote}/drive.mcap', b'short')
        with pytest.raises(StoreError, match='was replaced while it was read'):
            list(bag.messages())
    with pytest.raises(StoreError, match=r'Protocol not known.*pip install s3fs'):
        BagReader('nowhere://a/b')
    with pytest.raises(BagError, match='does not exist'):
        BagReader(f'{ROOT}/nothing')
