# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the shared memory that Fast DDS processes left behind when they were killed. Needs no ROS.

Each participant has a segment, `fastrtps_ID` (Kilted and later: `fastdds_ID`), and holds an exclusive flock(2) on the empty file
`..._el` next to it for as long as it lives; only a process that ends by itself removes both. Ports are not considered: they are
small, and the next process with the same number takes them over.
"""
from __future__ import annotations

import fcntl
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

SHARED_MEMORY = Path('/dev/shm')
LOCK = re.compile(r'(fast(?:rtps|dds)_[0-9a-f]{16})_el')
# A new participant creates the lock file first and locks it a moment later: younger files may be about to be locked.
MIN_AGE_S = 10.0
BLOCK_BYTES = 512       # unit of st_blocks, see stat(2)


@dataclass(frozen=True)
class DeadSegment:
    """A segment whose process has gone, and the memory that it takes."""

    path: Path
    size_bytes: int


def dead_segments(folder: Path = SHARED_MEMORY, min_age_s: float = MIN_AGE_S) -> Iterator[DeadSegment]:
    """The segments in `folder` that no process holds, in any container that shares it; those that cannot be examined are left out.

    :param min_age_s: leave out segments whose lock file is younger than this
    """
    for lock in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = LOCK.fullmatch(lock.name)
        if match is None:
            continue
        segment = folder / match[1]
        try:
            if time.time() - lock.stat().st_mtime >= min_age_s and not _is_held(lock):
                yield DeadSegment(segment, segment.stat().st_blocks * BLOCK_BYTES)
        except OSError:         # removed meanwhile, or of a user who lets nobody read it
            continue


def _is_held(lock: Path) -> bool:
    with open(lock, 'rb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)        # released on closing
        except BlockingIOError:
            return True
    return False
