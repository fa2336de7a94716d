# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag of several MCAP files, none of which needs another to be understood."""
from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any, Optional, Sequence

import yaml
from rosbags.interfaces import Qos, QosDurability

from fanet_ros.bags.writer import BagError, BagRecording

METADATA = 'metadata.yaml'
INFORMATION = 'rosbag2_bagfile_information'


class SplitRecording:
    """A new bag directory `path` with `NAME_0.mcap`, `NAME_1.mcap`, and so on, as `ros2 bag record` splits it.

    What latched topics hold is written again at the beginning of every file. metadata.yaml is renewed whenever a file
    is complete: should the process be killed, all but the last are a sound bag.

    :param max_duration_s: length of a file in seconds, 0: any
    :param max_bytes: messages of a file, 0: any
    :raises BagError: the path exists already or cannot be created
    """

    def __init__(self, path: Path, max_duration_s: float, max_bytes: int) -> None:
        self.path = path
        self._max_ns, self._max_bytes = int(max_duration_s * 1e9), max_bytes
        self._topics: dict[str, tuple[str, Sequence[Qos]]] = {}
        self._latched: dict[str, deque[bytes]] = {}
        self._counts: dict[str, int] = {}
        self._finished: list[dict[str, Any]] = []
        self._begun_ns: Optional[int] = None
        self._bytes = 0
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise BagError(f'{path} exists already: remove it or choose another output path') from None
        except OSError as error:
            raise BagError(f'cannot create the bag {path}: {error.strerror or error}') from None
        self._file = self._next_file()

    @property
    def counts(self) -> dict[str, int]:
        """Messages received so far, by topic; repeated ones count once."""
        return dict(self._counts)

    def has_topic(self, topic: str) -> bool:
        return topic in self._topics

    def add_topic(self, topic: str, type_name: str, offered_qos: Sequence[Qos]) -> None:
        """Announce a topic before its first message. Raises DefinitionError for a type without definition."""
        self._file.add_topic(topic, type_name, offered_qos)
        self._topics[topic] = type_name, offered_qos
        self._counts[topic] = 0
        if offered_qos and all(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered_qos):
            self._latched[topic] = deque(maxlen=sum(max(qos.depth, 1) for qos in offered_qos))

    def write(self, topic: str, stamp_ns: int, serialized: bytes) -> None:
        """Append one CDR message, received at `stamp_ns` [ns] by the recorder's clock; in the next file if it is time."""
        if self._is_full(stamp_ns):
            self._finish_file()
            self._file = self._next_file()
            self._begin(stamp_ns)
        self._begun_ns = stamp_ns if self._begun_ns is None else self._begun_ns
        self._append(topic, stamp_ns, serialized)
        self._counts[topic] += 1
        if topic in self._latched:
            self._latched[topic].append(serialized)

    def close(self) -> None:
        """Complete the last file and the metadata; after this the bag is complete."""
        self._finish_file()

    def _is_full(self, stamp_ns: int) -> bool:
        if self._begun_ns is None:
            return False
        return bool((self._max_ns and stamp_ns - self._begun_ns >= self._max_ns)
                    or (self._max_bytes and self._bytes >= self._max_bytes))

    def _next_file(self) -> BagRecording:
        # A bag of its own, whose only file moves up into this one once it is complete.
        return BagRecording(self.path / f'{self.path.name}_{len(self._finished)}')

    def _begin(self, stamp_ns: int) -> None:
        self._begun_ns, self._bytes = stamp_ns, 0
        for topic, (type_name, offered_qos) in self._topics.items():
            self._file.add_topic(topic, type_name, offered_qos)
        for topic, messages in self._latched.items():
            for serialized in messages:
                self._append(topic, stamp_ns, serialized)

    def _append(self, topic: str, stamp_ns: int, serialized: bytes) -> None:
        self._file.write(topic, stamp_ns, serialized)
        self._bytes += len(serialized)

    def _finish_file(self) -> None:
        self._file.close()
        folder = self._file.path
        name = f'{folder.name}.mcap'
        (folder / name).rename(self.path / name)
        self._finished.append(yaml.safe_load((folder / METADATA).read_text(encoding='utf-8'))[INFORMATION])
        (folder / METADATA).unlink()
        folder.rmdir()
        new = self.path / f'{METADATA}.tmp'
        content = {INFORMATION: joined_metadata(self._finished)}
        new.write_text(yaml.safe_dump(content, sort_keys=False), encoding='utf-8')
        new.replace(self.path / METADATA)


def joined_metadata(files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Metadata of a bag from those of its files, each of which is a bag of one file."""
    filled = [file for file in files if file['message_count']] or list(files[:1])
    begin = min(file['starting_time']['nanoseconds_since_epoch'] for file in filled)
    end = max(file['starting_time']['nanoseconds_since_epoch'] + file['duration']['nanoseconds'] for file in filled)
    topics: dict[str, dict[str, Any]] = {}
    for file in files:
        for topic in file['topics_with_message_count']:
            name = topic['topic_metadata']['name']
            count = topics[name]['message_count'] if name in topics else 0
            topics[name] = {**topic, 'message_count': count + topic['message_count']}
    return {**files[0], 'relative_file_paths': [path for file in files for path in file['relative_file_paths']],
            'files': [entry for file in files for entry in file['files']],
            'starting_time': {'nanoseconds_since_epoch': begin}, 'duration': {'nanoseconds': end - begin},
            'message_count': sum(file['message_count'] for file in files),
            'topics_with_message_count': list(topics.values())}
