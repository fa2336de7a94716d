# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chunks of an MCAP whose index does not say which topics they contain."""
from __future__ import annotations

from rosbags.highlevel import AnyReader

from fanet_ros.bags.storage_files import storage_files


def search_unindexed_chunks(reader: AnyReader) -> None:
    """Let every topic be searched for in such chunks, which rosbags leaves out without a word.

    Recorders write them with the option noMessageIndex.
    """
    for file in storage_files(reader):
        for chunk in getattr(file, 'chunks', ()):
            if not chunk.channel_count:
                chunk.channel_count.update({connection.id: 1 for connection in file.connections})
