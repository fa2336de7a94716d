# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write files completely or not at all: to a temporary file in the same folder, which then replaces the file in one step."""
from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Optional

PARTIAL_PREFIX = '.partial_'        # of the temporary files, which a killed process leaves behind


@contextmanager
def replacing(path: Path, *, is_durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to; it replaces `path` at the end, or is removed after an exception.

    Others, in this process or another one, may write `path` at the same time; the last one wins.

    :param is_durable: flush the content to disk first, so that even after a power failure `path` is complete or as before
    :raises OSError: `path` cannot be replaced
    """
    with _own_partial(path) as partial:
        try:
            yield partial
            if is_durable:
                sync_to_disk(partial)
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextmanager
def _own_partial(path: Path) -> Iterator[Path]:
    """A temporary path that nobody else writes to: always the same one, so that what a killed process left is overwritten.

    It is locked meanwhile. If it is in use, or file system or permissions forbid a lock, the path is another one.
    """
    usual = path.with_name(f'{PARTIAL_PREFIX}{path.name}')
    with ExitStack() as stack:
        try:
            descriptor = os.open(usual, os.O_RDWR | os.O_CREAT, 0o666)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_own = os.path.samestat(os.fstat(descriptor), os.stat(usual))     # else its owner has just finished
        except OSError:
            is_own = False
        yield usual if is_own else path.with_name(f'{PARTIAL_PREFIX}{secrets.token_hex(4)}_{path.name}')


def write_text(path: Path, text: str, *, is_durable: bool = False) -> None:
    """Write a UTF-8 text file; parameters and errors as for replacing()."""
    with replacing(path, is_durable=is_durable) as partial:
        partial.write_text(text, encoding='utf-8')


def write_json(path: Path, content: Any, *, indent: Optional[int] = 1, is_durable: bool = False) -> None:
    """Write a JSON file; other parameters and errors as for replacing()."""
    write_text(path, json.dumps(content, indent=indent) + '\n', is_durable=is_durable)


def sync_to_disk(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
