# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Disk cache for what takes engines long to build."""
from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.model import FANet

MAX_BYTES = 900 * 2**20         # limit for all cached networks; one takes 50 to 190 MB per size
SCRATCH_S = 3600.0              # older scratch folders were left behind by killed processes
CONVERSION = threading.Lock()   # held while a network is converted: PyTorch's exporters keep state per process


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/fanet_ros or ~/.cache/fanet_ros, created if necessary."""
    base = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    directory = base / 'fanet_ros'
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def weights_digest(network: FANet) -> str:
    """16 hexadecimal digits that change with any weight, and with the network's flavour, reference size and strides."""
    digest = hashlib.sha256(repr((network.flavor, network.reference_size, network.strides)).encode())
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def touch(*paths: Path) -> None:
    """Mark files of the cache as used, and trim the cache: the least recently used go first."""
    for path in paths:
        os.utime(path)
    trim(cache_directory(), keep=paths)


def cache_bytes() -> int:
    """Size of the cache in bytes."""
    return sum(path.stat().st_size for path in cache_directory().rglob('*') if path.is_file())


def clean() -> int:
    """Empty the cache; returns the number of bytes freed."""
    size, directory = cache_bytes(), cache_directory()
    shutil.rmtree(directory, ignore_errors=True)
    return size


def trim(directory: Path, max_bytes: int = MAX_BYTES, keep: tuple[Path, ...] = ()) -> None:
    """Remove the least recently used files until at most `max_bytes` remain, and scratch folders of killed processes.

    Another process that has such a file open can still read it.
    """
    files = []
    for path in directory.iterdir():
        try:
            status = path.stat()
        except OSError:         # removed meanwhile: another process trims too
            continue
        if path.is_dir():       # folders that are not tempfile's hold built engines, such as TensorRT's
            if path.name.startswith(tempfile.gettempprefix()) and time.time() - status.st_mtime > SCRATCH_S:
                shutil.rmtree(path, ignore_errors=True)
        elif path.suffix != '.json':
            files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= max_bytes:
            return
        if path not in keep:
            path.unlink(missing_ok=True)
            total -= size
