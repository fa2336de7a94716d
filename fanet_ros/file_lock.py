# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Locks between processes: one of them at a time works in a folder."""
from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


def lock_file(path: Path) -> IO[str]:
    """Open the file `path`, made with its folder where missing, and lock it until it is closed or this process ends.

    Its owner may remove it, and the folder, while it is locked: whoever has opened it meanwhile makes a new one.

    :raises BlockingIOError: somebody else holds the lock
    :raises OSError: it cannot be written, or its file system has no locks
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = open(path, 'w')
        except FileNotFoundError:       # its owner has just removed the folder too
            if path.parent.is_dir():
                raise
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _is_at(path: Path, file: IO[str]) -> bool:
    """Whether an open file is still the one that others find at its path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
