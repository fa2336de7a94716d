# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converted networks in the cache: written completely or not at all, and made again if they are damaged."""
from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, TypeVar

from fanet_ros.atomic_file import sync_to_disk
from fanet_ros.inference.engines.cache import cache_directory
from fanet_ros.inference.engines.engine import EngineError

CONVERSION = threading.Lock()   # held while a network is converted: PyTorch's exporters keep state per process
FULL_BYTES = 2**20              # with less space than this, the disk counts as full
LOG = logging.getLogger(__name__)
Loaded = TypeVar('Loaded')


class CacheError(EngineError):
    """A converted network cannot be stored: a fault of the disk, not of the engine."""


@contextmanager
def converting() -> Iterator[Path]:
    """A scratch folder in the cache for the conversion of a network, one at a time.

    :raises CacheError: the cache cannot be written, because the disk is full for example
    """
    directory = cache_directory()
    try:
        with CONVERSION, tempfile.TemporaryDirectory(dir=directory) as scratch:
            try:
                yield Path(scratch)
            except OSError:
                raise
            except Exception:       # libraries report a full disk in their own ways
                check_space(directory)
                raise
    except OSError as error:
        raise CacheError(f'the converted network cannot be stored in {directory} ({error.strerror or error}): free some space, or '
                         'set XDG_CACHE_HOME to another folder') from None


def check_space(folder: Path) -> None:
    """For what was written by a program that does not notice a full disk.

    :raises OSError: the disk of `folder` is full
    """
    if shutil.disk_usage(folder).free < FULL_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def keep(made: Path, path: Path) -> None:
    """Move a file from converting() to its place, whole even after a power failure."""
    sync_to_disk(made)
    os.replace(made, path)      # atomic, even if two nodes do it at once


def loaded(make: Callable[[], Sequence[Path]], load: Callable[..., Loaded], is_whole: Callable[..., bool]) -> Loaded:
    """The result of `load` for the files that `make` finds in the cache, or creates; damaged ones are created again.

    :param is_whole: whether the files are not to blame if `load` fails
    """
    paths = make()
    try:
        return load(*paths)
    except Exception:
        if is_whole(*paths):
            raise
    LOG.warning(f'{paths[0]} is damaged: it is created again')
    for path in paths:
        path.unlink(missing_ok=True)
    return load(*make())
