# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments of dead processes are told from those in use by their locks."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fanet_ros.host.shared_memory import dead_segments

SEGMENT_BYTES = 2**20
# Does with the files what a participant does, and lives until it is killed.
PARTICIPANT = '''
import fcntl, sys, time
lock = open(sys.argv[1] + "_el", "w+")
fcntl.flock(lock, fcntl.LOCK_EX)
open(sys.argv[1], "wb").write(bytes(2**20))
print("up", flush=True)
time.sleep(600)
'''


@pytest.mark.parametrize('name', ['fastrtps_0123456789abcdef', 'fastdds_0123456789abcdef'])
def test_a_segment_is_dead_once_its_process_was_killed(tmp_path: Path, name: str) -> None:
    with subprocess.Popen([sys.executable, '-c', PARTICIPANT, str(tmp_path / name)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b'up\n'
        assert not list(dead_segments(tmp_path, 0.0))
        process.send_signal(signal.SIGKILL)
    found, = dead_segments(tmp_path, 0.0)
    assert found.path == tmp_path / name and found.size_bytes >= SEGMENT_BYTES
    assert not list(dead_segments(tmp_path, 60.0)), 'young: its process may be about to lock it'
    os.utime(tmp_path / f'{name}_el', times=(time.time() - 61,) * 2)
    assert [found] == list(dead_segments(tmp_path, 60.0))


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ('fastrtps_port7411', 'fastrtps_port7411_el', 'sem.fastrtps_port7411_mutex', 'fastrtps_0123456789abcdef',
                 'fastdds_0123456789abcdef_el', 'mine_0123456789abcdef', 'mine_0123456789abcdef_el'):
        (tmp_path / name).touch()       # of the segments, one has no lock, the other one no memory
    assert not list(dead_segments(tmp_path, 0.0))
    assert not list(dead_segments(tmp_path / 'missing', 0.0))
