# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A lock keeps others out until it is closed."""
from __future__ import annotations

import errno
from pathlib import Path

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


def test_a_file_system_without_locks_is_not_taken_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, 'No locks available')
    monkeypatch.setattr(file_lock.fcntl, 'flock', without_locks)
    with pytest.raises(OSError, match='No locks available'):
        Journal(tmp_path / 'out.partial', {})
