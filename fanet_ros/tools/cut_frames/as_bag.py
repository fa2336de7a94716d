# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut a bag: all messages around the selected frames, and before them the latest messages of latched topics."""
from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path
from typing import Optional, Sequence

from rosbags.interfaces import Connection, QosDurability

from fanet_ros.bags.copying import copy_topics, custom_data_of, storage_of
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import is_of_node
from fanet_ros.bags.writer import BagWriter
from fanet_ros.tools.cut_frames.selection import FoundFrame, merged

# Topics that are latched even if the bag does not say so, with this many messages.
LATCHED, UNKNOWN_DEPTH = ('tf_static', 'class_map', 'label_info'), 100


class BagCutter:
    """Writes one bag per source bag below `folder`.

    :param before_s: time to keep before each frame [s]
    :param after_s: time to keep after each frame [s]
    :param topics: topics to keep besides latched ones; empty: all
    """

    def __init__(self, folder: Path, before_s: float, after_s: float, topics: Sequence[str]) -> None:
        self.columns: Sequence[str] = ('bag', 'topic', 'stamp_ns', 'received_ns')
        self.rows: list[dict[str, object]] = []
        self._folder, self._topics = folder, topics
        self._before_ns, self._after_ns = round(before_s * 1e9), round(after_s * 1e9)

    def cut(self, name: str, bag: BagReader, frames: Sequence[FoundFrame]) -> dict[FoundFrame, str]:
        """Write the bag `name`; returns the frames that could not be cut, with the reason: none.

        :raises BagError: the bag is damaged, or has none of the topics; nothing is written then
        """
        path = self._folder / name
        try:
            self._write(path, bag, merged([frame.received_ns for frame in frames], self._before_ns, self._after_ns))
        except BagError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        self.rows += [{'bag': name, **frame._asdict()} for frame in frames]
        return {}

    def finish(self) -> None:
        """Nothing is left to do after the last bag."""

    def _write(self, path: Path, bag: BagReader, ranges: Sequence[tuple[int, int]]) -> None:
        latched = [item for item in bag.connections if depth_of_latched(item)]
        others = [item for item in bag.connections if item not in latched and (not self._topics or item.topic in self._topics)]
        if self._topics and not any(item.topic in self._topics for item in bag.connections):
            raise BagError(f'{bag.path} has none of the topics {", ".join(self._topics)}')
        kept = [*latched, *others]
        path.parent.mkdir(parents=True, exist_ok=True)
        with BagWriter(path, storage=storage_of(bag.path), custom_data=custom_data_of(bag.path)) as writer:
            copy_topics(writer, bag, kept)
            done: Optional[int] = None
            for start, stop in ranges:
                for item, raw in _latest(bag, latched, done, start):
                    writer.write(item.topic, item.msgtype, start, raw)
                for item, received_ns, raw in bag.messages(kept, start, stop):
                    writer.write(item.topic, item.msgtype, received_ns, raw)
                done = stop


def depth_of_latched(item: Connection) -> int:
    """How many messages of a latched topic a late subscriber gets; 0: the topic is not latched."""
    profiles = getattr(item.ext, 'offered_qos_profiles', ())
    if profiles and all(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in profiles):
        return sum(max(qos.depth, 1) for qos in profiles)
    last = item.topic.rpartition('/')[2]
    return UNKNOWN_DEPTH if last in LATCHED and (last == 'tf_static' or is_of_node(item.topic)) else 0


def _latest(bag: BagReader, latched: Sequence[Connection], start: Optional[int],
            stop: int) -> list[tuple[Connection, bytes]]:
    """The messages that latched topics hold at `stop`, of those received since `start`, in order."""
    held = {item.id: deque[tuple[int, Connection, bytes]](maxlen=depth_of_latched(item)) for item in latched}
    for number, (item, _, raw) in enumerate(bag.messages(latched, start, stop)):
        held[item.id].append((number, item, raw))
    return [(item, raw) for _, item, raw in sorted((entry for entries in held.values() for entry in entries),
                                                   key=lambda entry: entry[0])]
