# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The marker file of a finished bag, by which it is recognised without opening the bag."""
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Optional

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.object_store import RemoteStat
from fanet_ros.bags.remote_path import AnyPath

DONE = 'segment_bags.json'
VERSION = 1


def input_state(path: AnyPath) -> tuple[str, int]:
    """(digest of the names, sizes and modification times of a bag's files, total size in bytes), for detecting changes.

    Objects of a store have a tag of their content (ETag) instead of the modification time.

    :raises BagError: the bag does not exist or is unreadable
    """
    try:
        files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
        states = [(file.name, file.stat()) for file in sorted(files, key=lambda file: file.name)]
    except OSError as error:
        raise BagError(f'{path}: {error.strerror or error}') from None
    text = json.dumps([[name, state.st_size, state.identity if isinstance(state, RemoteStat) else state.st_mtime_ns]
                       for name, state in states])
    return hashlib.sha256(text.encode()).hexdigest(), sum(state.st_size for _, state in states)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def key_of(content: dict[str, Any]) -> str:
    """Digest of the options that determine the result, in hexadecimal."""
    return hashlib.sha256(json.dumps({**content, 'version': VERSION}, sort_keys=True).encode()).hexdigest()


def read_done(output: Path) -> Optional[dict[str, Any]]:
    """The marker of the finished bag `output`, or None if `output` does not exist.

    :raises BagError: `output` exists but has no readable marker
    """
    try:
        text = (output / DONE).read_text(encoding='utf-8')
    except (FileNotFoundError, NotADirectoryError):
        if output.exists():
            raise not_ours(output) from None
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(output, error) from None
    return parse_done(output, text)


def parse_done(output: AnyPath, text: str) -> dict[str, Any]:
    """The marker with this text.

    :raises BagError: it is damaged
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise _unreadable(output, error) from None
    return found if isinstance(found, dict) else {}


def not_ours(output: AnyPath) -> BagError:
    """The error for a folder that something else made."""
    return BagError(f'{output} was not written by segment_bags: remove it, or choose another --output')


def _unreadable(output: AnyPath, error: Exception) -> BagError:
    return BagError(f'{output / DONE} cannot be read ({error}): remove {output}')
