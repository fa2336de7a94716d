# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Disk cache for what takes engines long to build."""
from __future__ import annotations

import atexit
import hashlib
import logging
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.model import FANet

MAX_BYTES = 900 * 2**20         # limit for all cached networks; one takes 50 to 190 MB per size
SCRATCH_S = 3600.0              # older scratch folders were left behind by killed processes
LOG = logging.getLogger(__name__)


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/fanet_ros or ~/.cache/fanet_ros, created if necessary.

    If it cannot be written, as with a read-only system or a user without a home: a temporary folder, for this process.
    """
    try:
        base = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
        directory = base / 'fanet_ros'
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:        # RuntimeError: the user has no home
        return _temporary_cache(str(error))
    return directory if os.access(directory, os.W_OK | os.X_OK) else _temporary_cache(f'{directory} is not writable')


@cache
def _temporary_cache(reason: str) -> Path:
    folder = tempfile.mkdtemp(prefix='fanet_ros_cache_')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    LOG.warning(f'the cache cannot be used ({reason}): every start measures the engines and converts networks again; set '
                'XDG_CACHE_HOME to a folder that can be written')
    return Path(folder)


def weights_digest(network: FANet) -> str:
    """16 hexadecimal digits that change with any weight, and with the network's flavour, reference size and strides."""
    digest = hashlib.sha256(repr((network.flavor, network.reference_size, network.strides)).encode())
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def touch(*paths: Path) -> None:
    """Mark files or folders of the cache as used, and trim the cache: the least recently used go first."""
    for path in paths:
        with suppress(OSError):     # removed meanwhile by another process, or written by another user
            os.utime(path)
    trim(cache_directory(), keep=paths)


def cache_bytes() -> int:
    """Size of the cache in bytes."""
    return _use(cache_directory())[1]


def clean() -> int:
    """Empty the cache; returns the number of bytes freed."""
    size, directory = cache_bytes(), cache_directory()
    shutil.rmtree(directory, ignore_errors=True)
    return size


def trim(directory: Path, max_bytes: int = MAX_BYTES, keep: tuple[Path, ...] = ()) -> None:
    """Remove what was used least recently until at most `max_bytes` remain, and scratch folders of killed processes.

    Another process that has such a file open can still read it.
    """
    entries = []
    for path in _inside(directory):
        if not path.is_dir():
            if path.suffix != '.json':
                entries.append((*_use(path), path))
        elif not path.name.startswith(tempfile.gettempprefix()):        # tensorrt, with a folder for each engine
            entries += [(*_use(entry), entry) for entry in _inside(path)]
        elif time.time() - _use(path)[0] > SCRATCH_S:
            shutil.rmtree(path, ignore_errors=True)
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= max_bytes:
            return
        if path in keep or not size:        # an engine may be on its way into an empty folder
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        total -= size


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:             # removed meanwhile: another process trims too
        return []


def _use(path: Path) -> tuple[float, int]:
    """Newest modification time and size in bytes of a file, or of a folder with everything in it; what disappears is left out."""
    newest, size = 0.0, 0
    inside = [Path(folder, name) for folder, folders, files in os.walk(path) for name in (*folders, *files)]
    for item in (path, *inside):
        try:
            status = item.lstat()
        except OSError:
            continue
        newest = max(newest, status.st_mtime)
        if stat.S_ISREG(status.st_mode):
            size += status.st_size
    return newest, size
