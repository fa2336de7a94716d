# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Archives of bags in folders and object stores, and what segment_bags reports about them."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Union

from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.remote_path import AnyPath, RemotePath, any_path

Messages = list[tuple[str, int, bytes]]     # topic, time of reception, bytes
Expected = Callable[[int], Messages]        # of the fixture in test/unit/tools/segment_bags/conftest.py


def put(folder: Path, url: str) -> int:
    """Upload the files in a folder; returns their size in bytes."""
    for path in folder.iterdir():
        (RemotePath(url) / path.name).write_bytes(path.read_bytes())
    return sum(path.stat().st_size for path in folder.iterdir())


def messages(bag: Union[str, AnyPath]) -> Messages:
    """All messages of a bag."""
    with BagReader(bag) as reader:
        return [(connection.topic, at_ns, bytes(data)) for connection, at_ns, data in reader.messages()]


def report(output: Union[str, Path]) -> dict[str, Any]:
    """The content of report.json."""
    found = json.loads((any_path(str(output)) / 'report.json').read_text())
    assert isinstance(found, dict)
    return found
