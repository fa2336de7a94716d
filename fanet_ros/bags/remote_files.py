# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the files of a bag in an object store are read: an MCAP chunk by chunk, sqlite3 from a copy."""
from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Collection, Iterator, Optional

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from fanet_ros.bags.range_file import RangeFile
from fanet_ros.bags.remote_path import AnyPath, RemotePath
from fanet_ros.bags.storage_files import storage_files


def must_be_copied(file: AnyPath) -> bool:
    """Whether a file is in an object store, but has no index by which to read parts of it."""
    return isinstance(file, RemotePath) and file.suffix == '.db3'


def copied(paths: list[AnyPath], stack: ExitStack) -> list[AnyPath]:
    """The bag's folder or its files, with what must be copied in a folder that `stack` removes."""
    found: list[AnyPath] = []
    for path in paths:
        files = [file for file in (path.iterdir() if path.is_dir() else [path]) if isinstance(file, RemotePath)]
        if not any(map(must_be_copied, files)):
            found.append(path)
            continue
        folder = Path(stack.enter_context(TemporaryDirectory(prefix='fanet_ros_bag_')))
        for file in files:
            file.copy_to(folder / file.name)
        found.append(folder if path.is_dir() else folder / path.name)
    return found


def fetch_whole_chunks(reader: AnyReader) -> None:
    """Fetch each chunk of an MCAP in an object store in one request, instead of its header first."""
    for file in _remote_mcaps(reader):
        file.bio.set_pieces([_range(chunk) for chunk in file.chunks])


def fetch_ahead(reader: AnyReader, connections: Collection[Connection], start: Optional[int], stop: Optional[int]) -> None:
    """Prepare for reading these messages of MCAPs in an object store: chunks are fetched while the ones before are in use."""
    topics = {connection.topic for connection in connections}
    for file in _remote_mcaps(reader):
        channels = {connection.id for connection in file.connections if connection.topic in topics}
        chunks = [chunk for chunk in file.chunks
                  if (start is None or start <= chunk.message_end_time) and (stop is None or chunk.message_start_time < stop)
                  and any(chunk.channel_count.get(channel) for channel in channels)]
        file.bio.read_soon([_range(chunk) for chunk in sorted(chunks, key=lambda chunk: chunk.message_start_time)])


def _remote_mcaps(reader: AnyReader) -> Iterator[Any]:
    return (file for file in storage_files(reader) if isinstance(getattr(file, 'bio', None), RangeFile))


def _range(chunk: Any) -> tuple[int, int]:
    return chunk.chunk_start_offset, chunk.chunk_start_offset + chunk.chunk_length
