# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a finished bag is known again: by a file in its folder, without opening the bag."""
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
    """What changes when a bag does: a digest of its files' names, sizes and times of change; and their bytes altogether.

    :raises BagError: it is gone
    """
    try:
        files = [path] if path.is_file() else [Path(entry.path) for entry in os.scandir(path) if entry.is_file()]
        states = [(file.name, file.stat()) for file in sorted(files)]
    except OSError as error:
        raise BagError(f'{path}: {error.strerror or error}') from None
    text = json.dumps([[name, state.st_size, state.st_mtime_ns] for name, state in states])
    return hashlib.sha256(text.encode()).hexdigest(), sum(state.st_size for _, state in states)


def file_sha256(path: Path) -> str:
    """Of a file's content."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def key_of(content: dict[str, Any]) -> str:
    """A digest of options."""
    return hashlib.sha256(json.dumps({**content, 'version': VERSION}, sort_keys=True).encode()).hexdigest()


def read_done(output: Path) -> Optional[dict[str, Any]]:
    """What the finished bag `output` tells of itself; None: it is not there.

    :raises BagError: something else is
    """
    try:
        found = json.loads((output / DONE).read_text(encoding='utf-8'))
    except (FileNotFoundError, NotADirectoryError):
        if output.exists():
            raise BagError(f'{output} is not of segment_bags: remove it, or choose another --output') from None
        return None
    except (OSError, ValueError) as error:
        raise BagError(f'{output / DONE} cannot be read ({error}): remove {output}') from None
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: Any) -> None:
    """Put the whole file there in one step, on the disk."""
    new = path.with_name(path.name + '.new')
    with open(new, 'w', encoding='utf-8') as file:
        json.dump(content, file, indent=1)
        file.write('\n')
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
