# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of an MCAP whose index does not say which topics they contain."""
from __future__ import annotations

from typing import Any

from rosbags.highlevel import AnyReader

from fanet_ros.bags.storage_files import storage_files


def search_unindexed_chunks(reader: AnyReader) -> None:
    """Let every topic be searched for in such chunks, which rosbags leaves out without a word, and count their messages.

    Recorders write them with the option noMessageIndex.
    """
    for file in storage_files(reader):
        unindexed = [chunk for chunk in getattr(file, 'chunks', ()) if not chunk.channel_count]
        indexed = sum(sum(chunk.channel_count.values()) for chunk in getattr(file, 'chunks', ()))
        if unindexed and file.statistics.message_count == indexed:      # the file has no statistics: rosbags added up the index
            _count(file)
            reader.connections[:] = [item for part in reader.readers for item in part.connections]
        for chunk in unindexed:
            chunk.channel_count.update({connection.id: 1 for connection in file.connections})


def _count(file: Any) -> None:
    """Count the messages of an open MCAP by reading it."""
    file.meta_scan()
    found = file.statistics
    file.connections[:] = [item._replace(msgcount=found.channel_message_counts.get(item.id, 0)) for item in file.connections]
    if found.message_count:
        file.metadata = file.metadata._replace(message_count=found.message_count, start_time=found.start_time,
                                               end_time=found.end_time + 1, duration=found.end_time + 1 - found.start_time)
