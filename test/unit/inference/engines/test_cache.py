# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cache of engines is limited: what was used least recently goes first."""
import os
import tempfile
import time
from pathlib import Path

import pytest

from fanet_ros.inference.engines import cache


def fill(folder: Path, **ages_s: float) -> None:
    """Create files of 100 bytes, last used this long ago."""
    for name, age_s in ages_s.items():
        path = folder / f'{name}.onnx'
        path.write_bytes(bytes(100))
        os.utime(path, (time.time() - age_s,) * 2)


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.iterdir())


def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    fill(tmp_path, old=30.0, middle=20.0, new=10.0)
    (tmp_path / 'fastest_engine.json').write_text('{}')
    cache.trim(tmp_path, 300)
    assert names(tmp_path) == ['fastest_engine', 'middle', 'new', 'old']
    cache.trim(tmp_path, 200, keep=(tmp_path / 'old.onnx',))
    assert names(tmp_path) == ['fastest_engine', 'new', 'old']
    cache.trim(tmp_path, 0)
    assert names(tmp_path) == ['fastest_engine']


def test_stale_scratch_folders_go_and_recent_ones_stay(tmp_path: Path) -> None:
    left, made, kept = Path(tempfile.mkdtemp(dir=tmp_path)), Path(tempfile.mkdtemp(dir=tmp_path)), tmp_path / 'tensorrt'
    kept.mkdir()
    for folder, age_s in ((left, cache.SCRATCH_S + 60), (made, 1.0), (kept, cache.SCRATCH_S + 60)):
        (folder / 'made.onnx').write_bytes(bytes(100))
        for path in (folder / 'made.onnx', folder):
            os.utime(path, (time.time() - age_s,) * 2)
    cache.trim(tmp_path, 1000)
    assert names(tmp_path) == sorted([made.name, 'tensorrt'])


def fill_engine(folder: Path, name: str, age_s: float) -> Path:
    """Create the folder of an engine built by TensorRT: 300 bytes in three files, last used this long ago."""
    engine = folder / 'tensorrt' / name
    (engine / 'nested').mkdir(parents=True)
    for path in (engine / 'one.engine', engine / 'two.profile', engine / 'nested' / 'three.engine'):
        path.write_bytes(bytes(100))
    for path in (*engine.rglob('*'), engine):
        os.utime(path, (time.time() - age_s,) * 2)
    return engine


def test_the_folder_of_an_engine_counts_as_one_entry(tmp_path: Path) -> None:
    fill(tmp_path, old=30.0, new=10.0)
    older, newer = fill_engine(tmp_path, 'older', 40.0), fill_engine(tmp_path, 'newer', 20.0)
    timing = tmp_path / 'tensorrt' / 'gpu.timing'
    timing.write_bytes(bytes(50))
    cache.trim(tmp_path, 850)
    assert older.is_dir() and newer.is_dir() and names(tmp_path) == ['new', 'old', 'tensorrt']
    cache.trim(tmp_path, 849)
    assert not older.exists() and len(list(newer.rglob('*'))) == 4 and names(tmp_path) == ['new', 'old', 'tensorrt']
    cache.trim(tmp_path, 350, keep=(newer,))
    assert newer.is_dir() and names(tmp_path) == ['tensorrt'] and timing.exists()
    cache.trim(tmp_path, 0)
    assert list((tmp_path / 'tensorrt').iterdir()) == []


def test_the_newest_file_of_a_folder_says_when_it_was_used(tmp_path: Path) -> None:
    fill(tmp_path, middle=20.0)
    rebuilt = fill_engine(tmp_path, 'rebuilt', 30.0)
    (rebuilt / 'nested' / 'three.engine').write_bytes(bytes(100))
    cache.trim(tmp_path, 300)
    assert names(tmp_path) == ['tensorrt']


def test_an_empty_folder_stays_for_the_engine_that_is_being_built(tmp_path: Path) -> None:
    empty = tmp_path / 'tensorrt' / 'building'
    empty.mkdir(parents=True)
    os.utime(empty, (time.time() - 3600.0,) * 2)
    fill(tmp_path, old=30.0)
    cache.trim(tmp_path, 0)
    assert empty.is_dir() and names(tmp_path) == ['tensorrt']


def test_size_and_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    fill(cache.cache_directory(), one=1.0, two=2.0)
    fill_engine(cache.cache_directory(), 'three', 3.0)
    assert cache.cache_bytes() == 500
    assert cache.clean() == 500 and cache.cache_bytes() == 0


@pytest.mark.parametrize('name', ['file', '/proc/nothing', '/proc'])
def test_without_a_folder_that_can_be_written_there_is_a_temporary_one(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str) -> None:
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / name))
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr(tempfile, 'tempdir', None)
    folder = cache.cache_directory()
    assert folder.parent == tmp_path and folder == cache.cache_directory() and caplog.text.count('set XDG_CACHE_HOME') == 1
    cache.touch(folder)
