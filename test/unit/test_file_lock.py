# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A lock keeps others out until it is closed."""
from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from fanet_ros import file_lock
from fanet_ros.file_lock import lock_file
from fanet_ros.tools.segment_bag.journal import Journal


def test_a_lock_is_held_until_it_is_closed(tmp_path: Path) -> None:
    held = lock_file(tmp_path / 'lock')
    with pytest.raises(BlockingIOError, match='temporarily unavailable'):
        lock_file(tmp_path / 'lock')
    held.close()
    lock_file(tmp_path / 'lock').close()


def test_a_lock_that_its_owner_removed_meanwhile_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'work/lock'
    owner, flock = lock_file(path), file_lock.fcntl.flock

    def flock_after_the_owner_has_left(*arguments: Any) -> None:
        if not owner.closed:            # when the other one has opened the file, but not locked it yet
            path.unlink()
            owner.close()
            path.parent.rmdir()
        flock(*arguments)
    monkeypatch.setattr(file_lock.fcntl, 'flock', flock_after_the_owner_has_left)
    with lock_file(path), pytest.raises(BlockingIOError, match='temporarily unavailable'):
        lock_file(path)


def test_unfinished_work_is_removed_before_it_is_unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, rmtree = tmp_path / 'out.partial', shutil.rmtree

    def rmtree_while_locked(path: Path, **options: Any) -> None:
        with pytest.raises(BlockingIOError, match='temporarily unavailable'):
            lock_file(folder / 'lock')
        rmtree(path, **options)
    with Journal(folder, {}) as journal:
        monkeypatch.setattr(shutil, 'rmtree', rmtree_while_locked)
        journal.remove()
    assert not folder.exists()


def test_a_file_system_without_locks_is_not_taken_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, 'No locks available')
    monkeypatch.setattr(file_lock.fcntl, 'flock', without_locks)
    with pytest.raises(OSError, match='No locks available'):
        Journal(tmp_path / 'out.partial', {})
