# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read rosbag2 recordings in any form: a folder with or without metadata.yaml, or one of its files, compressed or not."""
from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from functools import partial
from heapq import merge
from typing import Any, Optional, TypeVar, Union, cast

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from fanet_ros.bags.bag_files import PACKED, files_to_open, refusal, unpacked
from fanet_ros.bags.chunk_index import search_unindexed_chunks
from fanet_ros.bags.errors import BagError, StoreError
from fanet_ros.bags.metadata import METADATA, use_qos_of_metadata
from fanet_ros.bags.remote_files import copied, fetch_ahead, fetch_whole_chunks, must_be_copied
from fanet_ros.bags.remote_path import AnyPath, any_path
from fanet_ros.bags.topic_bit_depth import TopicBitDepth, encoding_of
from fanet_ros.bags.topics import COMPRESSED, IMAGE_TYPES, Topic
from fanet_ros.error_text import error_text
from fanet_ros.images.decoding import to_rgb
from fanet_ros.no_space import temporary_folder_fault

_Reader = TypeVar('_Reader', bound='BagReader')


class BagReader:
    """An open rosbag2. Use as a context manager, or close() it. Reads messages in the order in which they were recorded.

    Several files without a metadata.yaml are read as one bag. Types without a definition in the bag are taken from Jazzy.
    The bag may be in an object store: of an MCAP only what is needed is read, other files are copied to the temporary folder.

    `connections`: one per topic and type, across all files; `typestore`: the types of the bag.

    :raises BagError: missing, not a rosbag2, a ROS 1 bag, or damaged; also raised while reading
    """

    def __init__(self, path: Union[str, AnyPath]) -> None:
        self.path = any_path(path).expanduser()
        self.connections: list[Connection] = []
        # Connections of the single files, if there are several without metadata.yaml, or several connections of one topic.
        self._parts: list[Connection] = []
        self._depths: dict[tuple[str, str], TopicBitDepth] = {}     # by topic and encoding
        with ExitStack() as stack:              # closes opened files if a later one fails
            try:
                files = unpacked(copied(files_to_open(self.path), stack), stack)
                self._reader = stack.enter_context(AnyReader(files, default_typestore=get_typestore(Stores.ROS2_JAZZY)))
                search_unindexed_chunks(self._reader)
            except BagError:
                raise
            except Exception as error:          # damaged files provoke errors of many kinds
                raise self._damaged(error) from None
            self._opened = stack.pop_all()
        fetch_whole_chunks(self._reader)
        use_qos_of_metadata(self._reader)
        self.connections = list(self._reader.connections)
        if len({(item.topic, item.msgtype) for item in self.connections}) < len(self.connections) or len(files) > 1:
            self._parts = self.connections
            self.connections = _joined(self._parts)

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self._opened.close()

    @property
    def typestore(self) -> Typestore:
        return self._reader.typestore

    @property
    def message_count(self) -> int:
        return self._reader.message_count

    @property
    def start_time(self) -> int:
        """Time of reception of the first message [ns]; 0 without messages."""
        return self._reader.start_time if self.message_count else 0

    @property
    def end_time(self) -> int:
        """Time of reception of the last message plus 1 [ns]; 0 without messages."""
        return self._reader.end_time if self.message_count else 0

    @property
    def is_seekable(self) -> bool:
        """Whether a time range can be read without reading the whole bag, and consecutive ranges keep the bag's message order.

        False if files must be decompressed or copied first, or are read one after another although they overlap in time.
        """
        files: list[AnyPath] = [self.path] if self.path.is_file() else [*self.path.iterdir()]
        if any(file.suffix in (PACKED, '.zst') or must_be_copied(file) for file in files):
            return False
        times = [(storage.metadata.start_time, storage.metadata.end_time) for reader in self._reader.readers
                 for storage in getattr(getattr(reader, 'storage', None), 'storages', ())]
        return all(before[1] <= after[0] for before, after in zip(times, times[1:]))

    def list_topics(self) -> tuple[Topic, ...]:
        """All topics with types and counts; for images, also the encoding of the first one."""
        return tuple(Topic(item.topic, item.msgtype, item.msgcount, self._sample(item)) for item in self.connections)

    def select(self, topics: Collection[str], types: Collection[str] = ()) -> list[Connection]:
        """The connections of these topics, restricted to `types` if given."""
        return [item for item in self.connections if item.topic in topics and (not types or item.msgtype in types)]

    def select_images(self, topic: str, remedy: str) -> list[Connection]:
        """The connections of an image topic.

        :param remedy: end of the error message: what to do
        :raises BagError: no such image topic; the message lists those of the bag
        """
        found = self.select([topic], IMAGE_TYPES)
        if not found:
            available = sorted({item.topic for item in self.connections if item.msgtype in IMAGE_TYPES})
            raise BagError(f'{self.path} has no images on {topic}; it has {", ".join(available) or "none"}: {remedy}')
        return found

    def messages(self, connections: Optional[Collection[Connection]] = None, start: Optional[int] = None,
                 stop: Optional[int] = None) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield (connection, reception time [ns], CDR bytes) for these connections or all, where start <= reception time < stop."""
        wanted = self.connections if connections is None else connections
        if not wanted:
            return      # rosbags takes an empty selection as all
        fetch_ahead(self._reader, wanted, start, stop)
        try:
            yield from self._joined_messages(wanted, start, stop) if self._parts else self._reader.messages(wanted, start, stop)
        except StoreError:
            raise
        except Exception as error:
            raise self._damaged(error) from None

    def decoded(self, connections: Optional[Collection[Connection]] = None) -> Iterator[tuple[Connection, int, Any]]:
        """Like messages(), with each message decoded to an object with its fields."""
        for connection, received_ns, raw in self.messages(connections):
            yield connection, received_ns, self.decode(connection, raw)

    def decode(self, connection: Connection, raw: bytes) -> Any:
        """Decode a message of `connection` to an object with its fields.

        :raises BagError: its bytes are damaged, or its type is unknown
        """
        try:
            return self._reader.deserialize(raw, connection.msgtype)
        except Exception:       # whatever damaged bytes provoke in the decoder
            raise BagError(f'{self.path} has a damaged message on {connection.topic}: not a valid {connection.msgtype}') from None

    def rgb(self, topic: str, message: Any) -> np.ndarray:
        """Decode an image message of `topic` into (H, W, 3) uint8 RGB; 16-bit values with the depth of all images of the
        topic that have its encoding.

        :raises ImageError: see to_rgb()
        """
        key = topic, encoding_of(message)
        if key not in self._depths:
            self._depths.setdefault(key, TopicBitDepth(partial(BagReader, self.path), *key))    # also if two threads come here
        return to_rgb(message, bit_depth=self._depths[key])

    def _joined_messages(self, wanted: Collection[Connection], start: Optional[int],
                         stop: Optional[int]) -> Iterator[tuple[Connection, int, bytes]]:
        whole = {(item.topic, item.msgtype): item for item in wanted}
        parts: dict[int, list[Connection]] = {}     # by file, whose order decides between messages received at the same time
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
        except StoreError:
            raise
        except BagError:        # damaged: reported when it is decoded
            pass
        return ''

    def _damaged(self, error: Exception) -> BagError:
        if fault := temporary_folder_fault(error):      # while it was unpacked
            return refusal(self.path, fault)
        text = error_text(error)
        if self.path.is_dir() and not (self.path / METADATA).is_file():
            text = f'it has no {METADATA}, and one of its files is damaged: {text}'
        return refusal(self.path, f'{text}; expected a complete rosbag2 (mcap or sqlite3); ros2 bag reindex repairs some')


def _joined(parts: list[Connection]) -> list[Connection]:
    """Merge the connections of several files into one per topic and type."""
    topics: dict[tuple[str, str], list[Connection]] = {}
    for part in parts:
        topics.setdefault((part.topic, part.msgtype), []).append(part)
    return [same[0]._replace(id=number, msgcount=sum(part.msgcount for part in same))
            for number, same in enumerate(topics.values(), 1)]
