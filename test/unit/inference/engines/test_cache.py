# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cache of engines is limited: the least recently used files go first."""
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
        os.utime(folder, (time.time() - age_s,) * 2)
    cache.trim(tmp_path, 1000)
    assert names(tmp_path) == sorted([made.name, 'tensorrt'])


def test_size_and_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    fill(cache.cache_directory(), one=1.0, two=2.0)
    assert cache.cache_bytes() == 200
    assert cache.clean() == 200 and cache.cache_bytes() == 0
