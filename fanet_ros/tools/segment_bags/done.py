# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The marker file of a finished bag, by which it is recognised without opening the bag."""
from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Optional

from fanet_ros.bags.errors import BagError

DONE = 'segment_bags.json'
VERSION = 1


def input_state(path: Path) -> tuple[str, int]:
    """(digest of the names, sizes and modification times of a bag's files, total size in bytes), for detecting changes.

    :raises BagError: the bag does not exist or is unreadable
    """
    try:
        files = [path] if path.is_file() else [Path(entry.path) for entry in os.scandir(path) if entry.is_file()]
        states = [(file.name, file.stat()) for file in sorted(files)]
    except OSError as error:
        raise BagError(f'{path}: {error.strerror or error}') from None
    text = json.dumps([[name, state.st_size, state.st_mtime_ns] for name, state in states])
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
        found = json.loads((output / DONE).read_text(encoding='utf-8'))
    except (FileNotFoundError, NotADirectoryError):
        if output.exists():
            raise BagError(f'{output} was not written by segment_bags: remove it, or choose another --output') from None
        return None
    except (OSError, ValueError) as error:
        raise BagError(f'{output / DONE} cannot be read ({error}): remove {output}') from None
    return found if isinstance(found, dict) else {}
