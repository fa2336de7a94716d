# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 MCAP bag being written: serialised messages go in exactly as they came over the wire."""
from __future__ import annotations

from pathlib import Path
from typing import Final, Sequence

from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

from fanet_ros.bags.definitions import message_definition

# Version 9 spells QoS values as words, which Humble's ros2 bag cannot read; every distribution reads 8.
BAG_VERSION: Final = 8


class BagError(ValueError):
    """The bag cannot be created; the message is one line."""


class BagRecording:
    """A new bag directory `path` with one MCAP file and, once closed, its metadata.yaml.

    The bag is not valid before close(). Raises BagError when the path exists already or cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connections: dict[str, Connection] = {}
        self._counts: dict[str, int] = {}
        try:
            self._writer = Writer(path, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except WriterError:
            raise BagError(f'{path} exists already: remove it or choose another output path') from None
        except OSError as error:
            raise BagError(f'cannot create the bag {path}: {error.strerror or error}') from None

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return dict(self._counts)

    def has_topic(self, topic: str) -> bool:
        return topic in self._connections

    def add_topic(self, topic: str, type_name: str, offered_qos: Sequence[Qos]) -> None:
        """Announce a topic before its first message. Raises DefinitionError for a type without definition."""
        definition = message_definition(type_name)
        self._connections[topic] = self._writer.add_connection(
            topic, type_name, msgdef=definition.text, rihs01=definition.type_hash,
            offered_qos_profiles=offered_qos)
        self._counts[topic] = 0

    def write(self, topic: str, stamp_ns: int, serialized: bytes) -> None:
        """Append one CDR message, received at `stamp_ns` [ns] by the recorder's clock."""
        self._writer.write(self._connections[topic], stamp_ns, serialized)
        self._counts[topic] += 1

    def close(self) -> None:
        """Write index and metadata; after this the bag is complete."""
        self._writer.close()

    def __enter__(self) -> BagRecording:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
