# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbag2 recordings as they come: a folder with or without metadata.yaml, one of its files, packed or not."""
from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from heapq import merge
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional, TypeVar, Union, cast

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.metadata import METADATA
from fanet_ros.bags.topics import COMPRESSED, IMAGE_TYPES, Topic

STORAGE, PACKED = ('.mcap', '.db3'), '.zstd'
_Reader = TypeVar('_Reader', bound='BagReader')


class BagReader:
    """An open rosbag2. Use as a context manager, or close() it. Reads messages in the order of their recording.

    Several files without a metadata.yaml are read as the one bag that they were. Types whose definition is not in the bag are
    those of Jazzy.

    `connections`: one for each topic and type, in whatever files it is; `typestore`: the types of the bag.

    :raises BagError: missing, not a rosbag2, of ROS 1, or damaged; from reading, too
    """

    def __init__(self, path: Union[str, Path]) -> None:
        self.path = Path(path).expanduser()
        self.connections: list[Connection] = []
        self._parts: list[Connection] = []      # of several files without metadata.yaml
        with ExitStack() as stack:              # closes what was opened before one fails
            try:
                files = _unpacked(_files(self.path), stack)
                self._reader = stack.enter_context(AnyReader(files, default_typestore=get_typestore(Stores.ROS2_JAZZY)))
            except BagError:
                raise
            except Exception as error:          # damaged files provoke errors of many kinds
                raise self._damaged(error) from None
            self._opened = stack.pop_all()
        self.connections = list(self._reader.connections)
        if len(files) > 1:
            self._parts = self.connections
            self.connections = _joined(self._parts)

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._opened.close()

    @property
    def typestore(self) -> Typestore:
        return self._reader.typestore

    @property
    def message_count(self) -> int:
        return self._reader.message_count

    @property
    def start_time(self) -> int:
        """When the first message was received, in ns."""
        return self._reader.start_time

    @property
    def end_time(self) -> int:
        """The ns after that in which the last message was received."""
        return self._reader.end_time

    @property
    def is_seekable(self) -> bool:
        """Whether a stretch of time is read for less than all of it, and stretches in turn give messages in the bag's order.

        Not so where files must be unpacked first, or are read one after the other and overlap in time.
        """
        files = [self.path] if self.path.is_file() else list(self.path.iterdir())
        if any(file.suffix in (PACKED, '.zst') for file in files):
            return False
        times = [(storage.metadata.start_time, storage.metadata.end_time) for reader in self._reader.readers
                 for storage in getattr(getattr(reader, 'storage', None), 'storages', ())]
        return all(before[1] <= after[0] for before, after in zip(times, times[1:]))

    def list_topics(self) -> tuple[Topic, ...]:
        """All topics with types and counts; of images the first one's encoding too."""
        return tuple(Topic(item.topic, item.msgtype, item.msgcount, self._sample(item)) for item in self.connections)

    def select(self, topics: Collection[str], types: Collection[str] = ()) -> list[Connection]:
        """The connections of these topics; given `types`, of those types alone."""
        return [item for item in self.connections if item.topic in topics and (not types or item.msgtype in types)]

    def select_images(self, topic: str, remedy: str) -> list[Connection]:
        """The connections of a topic of images.

        :param remedy: what to do where there is none
        :raises BagError: there is none; with those that there are
        """
        found = self.select([topic], IMAGE_TYPES)
        if not found:
            there = sorted({item.topic for item in self.connections if item.msgtype in IMAGE_TYPES})
            raise BagError(f'{self.path} has no images on {topic}; it has {", ".join(there) or "none"}: {remedy}')
        return found

    def messages(self, connections: Optional[Collection[Connection]] = None, start: Optional[int] = None,
                 stop: Optional[int] = None) -> Iterator[tuple[Connection, int, bytes]]:
        """(connection, time of reception in ns, message as CDR), of these connections or all; `stop` itself is left out."""
        wanted = self.connections if connections is None else connections
        if not wanted:
            return      # nothing would mean all of them to rosbags
        try:
            yield from self._joined_messages(wanted, start, stop) if self._parts else self._reader.messages(wanted, start, stop)
        except Exception as error:
            raise self._damaged(error) from None

    def decoded(self, connections: Optional[Collection[Connection]] = None) -> Iterator[tuple[Connection, int, Any]]:
        """As messages(), with each message as an object with its fields."""
        for connection, received_ns, raw in self.messages(connections):
            yield connection, received_ns, self.decode(connection, raw)

    def decode(self, connection: Connection, raw: bytes) -> Any:
        """A message of `connection` as an object with its fields.

        :raises BagError: its bytes are damaged, or nothing is known of its type
        """
        try:
            return self._reader.deserialize(raw, connection.msgtype)
        except Exception:       # whatever damaged bytes provoke in the decoder
            raise BagError(f'{self.path} has a damaged message on {connection.topic}: it is no {connection.msgtype}') from None

    def _joined_messages(self, wanted: Collection[Connection], start: Optional[int],
                         stop: Optional[int]) -> Iterator[tuple[Connection, int, bytes]]:
        whole = {(item.topic, item.msgtype): item for item in wanted}
        parts: dict[int, list[Connection]] = {}     # by file, in their order, which decides what was received in one instant
        for part in self._parts:
            if (part.topic, part.msgtype) in whole:
                parts.setdefault(id(part.owner), []).append(part)
        files = [cast(AnyReader, of_file[0].owner).messages(of_file, start, stop) for of_file in parts.values()]
        for part, received_ns, raw in merge(*files, key=lambda message: message[1]):
            yield whole[part.topic, part.msgtype], received_ns, raw

    def _sample(self, connection: Connection) -> str:
        if connection.msgtype not in IMAGE_TYPES:
            return ''
        try:
            for _, _, message in self.decoded([connection]):
                return message.format if connection.msgtype == COMPRESSED else message.encoding
        except BagError:        # damaged: found and counted when it is decoded
            pass
        return ''

    def _damaged(self, error: Exception) -> BagError:
        text = ' '.join(str(error).split()) or type(error).__name__
        if self.path.is_dir() and not (self.path / METADATA).is_file():
            text = f'it has no {METADATA}, and one of its files is damaged: {text}'
        return _refusal(self.path, f'{text}; expected a complete rosbag2 (mcap or sqlite3); ros2 bag reindex repairs some')


def is_bag(path: Path) -> bool:
    """A rosbag2, whole or not, or what looks like one of ROS 1."""
    if path.is_dir():
        return (path / METADATA).is_file() or any(map(_is_storage, path.iterdir()))
    return path.is_file() and (_is_storage(path) or path.suffix == '.bag')


def _files(path: Path) -> list[Path]:
    """What to open for `path`: a bag's folder or file itself, or all files of a folder that has no metadata.yaml."""
    if not path.exists():
        raise _refusal(path, 'it does not exist; expected the folder of a rosbag2, or its .mcap or .db3 file')
    if path.suffix == '.bag':
        raise _refusal(path, f'it is one of ROS 1; convert it with: rosbags-convert --src {path} --dst {path.stem}')
    if path.is_dir() and not (path / METADATA).is_file():
        files = sorted(filter(_is_storage, path.iterdir()), key=_number)
        if not files:
            raise _refusal(path, 'not a rosbag2; expected the folder that ros2 bag record made, or its .mcap or .db3 file')
        return files
    if not path.is_dir() and not _is_storage(path):
        raise _refusal(path, 'not a rosbag2; expected its folder, or an .mcap or .db3 file, packed with zstd or not')
    return [path]


def _unpacked(files: list[Path], stack: ExitStack) -> list[Path]:
    """The files, those that are packed unpacked into a folder that `stack` removes."""
    if not any(file.suffix == PACKED for file in files):
        return files
    from backports import zstd  # rosbags brings it along, but not its first releases

    folder = stack.enter_context(TemporaryDirectory(prefix='fanet_ros_bag_'))
    targets = [Path(folder, file.stem) if file.suffix == PACKED else file for file in files]
    for file, target in zip(files, targets):
        if file != target:
            with zstd.open(file, 'rb') as packed, open(target, 'wb') as unpacked:
                shutil.copyfileobj(packed, unpacked)
    return targets


def _joined(parts: list[Connection]) -> list[Connection]:
    """One connection for each topic and type."""
    topics: dict[tuple[str, str], list[Connection]] = {}
    for part in parts:
        topics.setdefault((part.topic, part.msgtype), []).append(part)
    return [same[0]._replace(id=number, msgcount=sum(part.msgcount for part in same))
            for number, same in enumerate(topics.values(), 1)]


def _refusal(path: Path, why: str) -> BagError:
    return BagError(f'cannot read the bag {path}: {why}')


def _is_storage(file: Path) -> bool:
    return file.name.removesuffix(PACKED).endswith(STORAGE)


def _number(file: Path) -> tuple[int, str]:
    """Files of a split bag end with their number, of which _10 comes after _9."""
    digits = file.name.partition('.')[0].rpartition('_')[2]
    return (int(digits) if digits.isdecimal() else 0, file.name)
