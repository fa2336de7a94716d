# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a rosbag2; serialised messages are stored exactly as received."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Mapping, Optional, Sequence

import yaml
from rosbags.interfaces import Connection, Qos, QosDurability
from rosbags.rosbag2 import StoragePlugin, WriterError

from fanet_ros.atomic_file import sync_to_disk, write_text
from fanet_ros.bags.definitions import MessageDefinition, message_definition
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.full_disk import CompletableWriter
from fanet_ros.bags.metadata import INFORMATION, METADATA, joined_metadata

# Version 9 writes QoS values as words, which Humble's ros2 bag cannot read; every distribution reads version 8.
BAG_VERSION: Final = 8


@dataclass
class _WrittenTopic:
    """A topic of one type; `latched` holds its last messages if it is latched."""

    name: str
    type_name: str
    offered_qos: Sequence[Qos]
    definition: MessageDefinition
    serialization: str
    connection: Connection
    count: int = 0
    latched: deque[bytes] = field(default_factory=lambda: deque(maxlen=0))


class BagWriter:
    """Writes a new bag directory `path`. Use as a context manager, or close() it; the bag is incomplete before.

    With a limit, the bag is split into files `NAME_0.mcap`, `NAME_1.mcap`, and so on, as by `ros2 bag record`. Each file is
    self-contained: the messages of latched topics are repeated at the start of every file. metadata.yaml is rewritten whenever
    a file is complete: if the process is killed, all files but the last form a sound bag.

    :param max_duration_s: maximum length of a file in seconds; 0: unlimited
    :param max_bytes: maximum size of the messages in a file; 0: unlimited
    :param custom_data: custom_data of metadata.yaml
    :raises BagError: the path already exists or cannot be created
    """

    def __init__(self, path: Path, max_duration_s: float = 0.0, max_bytes: int = 0, *,
                 storage: StoragePlugin = StoragePlugin.MCAP, custom_data: Optional[Mapping[str, str]] = None) -> None:
        self.path = path
        self._max_ns, self._max_bytes = int(max_duration_s * 1e9), max_bytes
        self._storage, self._custom_data = storage, custom_data or {}
        self._topics: dict[tuple[str, str], _WrittenTopic] = {}
        self._finished: list[dict[str, Any]] = []       # metadata of each complete file of a split bag
        self._begun_ns: Optional[int] = None
        self._last_ns = 0
        self._bytes = 0
        self._unfinished: Optional[OSError] = None
        try:
            if self._is_split:
                path.mkdir(parents=True)
            self._file = self._open_file()
        except (FileExistsError, WriterError):
            raise BagError(f'{path} already exists: remove it or choose another output path') from None
        except OSError as error:
            raise BagError(f'cannot create the bag {path}: {error.strerror or error}') from None

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic; repetitions of latched ones do not count."""
        counts: dict[str, int] = {}
        for topic in self._topics.values():
            counts[topic.name] = counts.get(topic.name, 0) + topic.count
        return counts

    def has_topic(self, topic: str, type_name: str) -> bool:
        return (topic, type_name) in self._topics

    def add_topic(self, topic: str, type_name: str, offered_qos: Sequence[Qos] = (),
                  definition: Optional[MessageDefinition] = None, serialization: str = 'cdr') -> None:
        """Announce a topic before its first message.

        :param definition: of the type; None: the installed one
        :raises BagError: no definition of the type is installed
        """
        definition = definition or message_definition(type_name)
        added = self._topics[topic, type_name] = _WrittenTopic(
            topic, type_name, offered_qos, definition, serialization,
            self._connect(topic, type_name, offered_qos, definition, serialization))
        if self._is_split and offered_qos and all(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered_qos):
            added.latched = deque(maxlen=sum(max(qos.depth, 1) for qos in offered_qos))

    def write(self, topic: str, type_name: str, received_ns: int, serialized: bytes) -> None:
        """Append one message, received at `received_ns` by the recorder's clock; starts a new file if a limit is reached."""
        if self._begun_ns is not None and received_ns < self._last_ns:      # simulated time restarted: what came before counts on
            self._begun_ns -= self._last_ns - received_ns
        self._last_ns = received_ns
        if self._is_full(received_ns):
            self._finish_file()
            self._file = self._open_file()
            self._begin(received_ns)
        self._begun_ns = received_ns if self._begun_ns is None else self._begun_ns
        written = self._topics[topic, type_name]
        written.count += 1
        self._append(written, received_ns, serialized)
        written.latched.append(serialized)

    @property
    def is_removed(self) -> bool:
        """Whether somebody has removed the MCAP file that is being written: everything in it will be lost."""
        return self._file.is_removed

    def close(self) -> None:
        """Write index and metadata; after this the bag is complete, also if write() failed because the disk is full.

        :raises OSError: they cannot be written: the bag stays incomplete
        """
        if self._unfinished is not None:        # at the end of a file of a split bag
            raise self._unfinished
        self._finish_file()

    def sync(self) -> None:
        """Flush the bag to disk; call after close()."""
        for file in (*self.path.iterdir(), self.path):
            sync_to_disk(file)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        if exc_info[0] is None:
            self.close()
        else:
            self._file.__exit__(*exc_info)      # leaves an incomplete bag

    @property
    def _is_split(self) -> bool:
        return bool(self._max_ns or self._max_bytes)

    def _is_full(self, received_ns: int) -> bool:
        if self._begun_ns is None:
            return False
        return bool((self._max_ns and received_ns - self._begun_ns >= self._max_ns)
                    or (self._max_bytes and self._bytes >= self._max_bytes))

    def _open_file(self) -> CompletableWriter:
        # Each file of a split bag is written as a bag of one file, which moves up into `path` once it is complete.
        folder = self.path / f'{self.path.name}_{len(self._finished)}' if self._is_split else self.path
        file = CompletableWriter(folder, version=BAG_VERSION, storage_plugin=self._storage)
        for key, value in self._custom_data.items():
            file.set_custom_data(key, value)
        file.open()
        return file

    def _connect(self, topic: str, type_name: str, offered_qos: Sequence[Qos], definition: MessageDefinition,
                 serialization: str) -> Connection:
        return self._file.add_connection(topic, type_name, msgdef=definition.text, rihs01=definition.type_hash,
                                         serialization_format=serialization, offered_qos_profiles=offered_qos)

    def _begin(self, received_ns: int) -> None:
        self._begun_ns, self._bytes = received_ns, 0
        for topic in self._topics.values():
            topic.connection = self._connect(topic.name, topic.type_name, topic.offered_qos, topic.definition,
                                             topic.serialization)
        for topic in self._topics.values():
            for serialized in topic.latched:
                self._append(topic, received_ns, serialized)

    def _append(self, topic: _WrittenTopic, received_ns: int, serialized: bytes) -> None:
        self._file.write(topic.connection, received_ns, serialized)
        self._bytes += len(serialized)

    def _finish_file(self) -> None:
        if self._file.storage is None:      # the next file of a split bag could not be opened
            return
        try:
            self._file.close()
            if self._is_split:
                self._add_to_bag()
        except OSError as error:
            self._unfinished = error
            raise

    def _add_to_bag(self) -> None:
        folder = self._file.path
        for file in folder.iterdir():
            if file.name != METADATA:
                file.rename(self.path / file.name)
        self._finished.append(yaml.safe_load((folder / METADATA).read_text(encoding='utf-8'))[INFORMATION])
        (folder / METADATA).unlink()
        folder.rmdir()
        content = {INFORMATION: joined_metadata(self._finished)}
        write_text(self.path / METADATA, yaml.safe_dump(content, sort_keys=False))
