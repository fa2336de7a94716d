# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Locks between processes: one of them at a time works in a folder."""
from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


def lock_file(path: Path) -> IO[str]:
    """Open the file `path`, made where missing, and lock it until it is closed or this process ends.

    :raises BlockingIOError: somebody else holds the lock
    :raises OSError: it cannot be written, or its file system has no locks
    """
    file = open(path, 'w')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file
