# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The open files behind a reader of rosbags."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rosbags.highlevel import AnyReader


def storage_files(reader: AnyReader) -> Iterator[Any]:
    """What rosbags reads each file of the bags with; its attributes depend on the file's kind."""
    for part in reader.readers:
        storage = getattr(part, 'storage', None)
        yield from getattr(storage, 'storages', [storage])
