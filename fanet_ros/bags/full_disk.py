# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An MCAP can still be completed when the disk is full: without its index at the end, no reader opens it."""
from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Union

from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionMode, StoragePlugin, Writer
from rosbags.rosbag2.storage_mcap import McapWriter

if TYPE_CHECKING:
    from rosbags.rosbag2.writer import StorageWriter

RESERVE_BYTES = 16 * 2**20      # the index takes about 100 bytes for each megabyte of messages


class _CompletableMcap(McapWriter):
    """Keeps space for the index while the file is written. After an error, the file ends with the last whole chunk."""

    def __init__(self, path: Path, compression: CompressionMode) -> None:
        super().__init__(path, compression)
        self._reserve = ExitStack()
        with suppress(OSError):     # hardly any space to begin with, or a file system without nameless files
            reserve = self._reserve.enter_context(tempfile.TemporaryFile(dir=path))
            os.posix_fallocate(reserve.fileno(), 0, RESERVE_BYTES)

    @property
    def is_removed(self) -> bool:
        """Whether the file no longer has a name."""
        return not os.fstat(self.bio.fileno()).st_nlink

    def close_chunk(self) -> None:
        """Write the messages that were kept in memory; if that fails, they stay there, for close().

        :raises OSError: the disk is full
        """
        begin = self.bio.tell()
        try:
            super().close_chunk()
        except OSError:
            self._reserve.close()
            self.bio.seek(begin)
            self.bio.truncate()
            raise

    def close(self, version: int, metadata: str) -> None:
        """Write the messages in memory and the index."""
        self._reserve.close()
        super().close(version, metadata)


class CompletableWriter(Writer):
    """Writer whose close() completes an MCAP even after write() has failed because the disk is full."""

    STORAGE_PLUGINS: Mapping[StoragePlugin, type[StorageWriter]] = {
        **Writer.STORAGE_PLUGINS, StoragePlugin.MCAP: _CompletableMcap}

    @property
    def is_removed(self) -> bool:
        """Whether somebody has removed the MCAP file that is being written: everything in it will be lost."""
        return isinstance(self.storage, _CompletableMcap) and self.storage.is_removed

    def write(self, connection: Connection, timestamp: int, data: Union[bytes, memoryview]) -> None:
        """Write a message.

        :raises OSError: the disk is full; close() writes the message
        """
        try:
            super().write(connection, timestamp, data)
        except OSError:
            self.counts[connection.id] += 1
            self.min_timestamp, self.max_timestamp = min(timestamp, self.min_timestamp), max(timestamp, self.max_timestamp)
            raise
