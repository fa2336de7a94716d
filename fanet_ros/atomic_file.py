# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write files completely or not at all: to a temporary file in the same folder, which then replaces the file in one step."""
from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional


@contextmanager
def replacing(path: Path, *, is_shared: bool = False, is_durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to; it replaces `path` at the end, or is removed after an exception.

    :param is_shared: others, in this process or another one, may write `path` at the same time; the last one wins
    :param is_durable: flush the content to disk first, so that even after a power failure `path` is complete or as before
    :raises OSError: `path` cannot be replaced
    """
    # Not by the number of the process, which threads share, and which processes in two containers may have in common.
    partial = path.with_name(f'.partial_{secrets.token_hex(4)}_{path.name}' if is_shared else f'.partial_{path.name}')
    try:
        yield partial
        if is_durable:
            sync_to_disk(partial)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str, *, is_shared: bool = False, is_durable: bool = False) -> None:
    """Write a UTF-8 text file; parameters and errors as for replacing()."""
    with replacing(path, is_shared=is_shared, is_durable=is_durable) as partial:
        partial.write_text(text, encoding='utf-8')


def write_json(path: Path, content: Any, *, indent: Optional[int] = 1, is_shared: bool = False, is_durable: bool = False) -> None:
    """Write a JSON file; other parameters and errors as for replacing()."""
    write_text(path, json.dumps(content, indent=indent) + '\n', is_shared=is_shared, is_durable=is_durable)


def sync_to_disk(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
