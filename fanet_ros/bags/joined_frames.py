# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bag that is segmented: its topics, and its images decoded ahead of the network."""
from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Collection, Iterator, NamedTuple, Optional, Sequence

import numpy as np
from rosbags.interfaces import Connection

from fanet_ros.bags.reader import BagReader, BagReadError
from fanet_ros.bags.topics import COMPRESSED, IMAGE, BagTaskError, Camera, Topic
from fanet_ros.images.decoding import ImageError, to_rgb

DECODED_AHEAD = 4


class Picture(NamedTuple):
    """One camera image: `rgb` (H, W, 3) uint8, or None and the `reason` in a few words."""

    topic: str
    stamp_s: float
    rgb: Optional[np.ndarray]
    reason: str


class InputBag:
    """An open rosbag2. Use as a context manager.

    :raises BagTaskError: missing, not a rosbag2, or not complete
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.reader = BagReader(path)
        except BagReadError as error:
            raise BagTaskError(str(error)) from None

    def __enter__(self) -> InputBag:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.reader.close()

    @property
    def connections(self) -> list[Connection]:
        return self.reader.connections

    def topics(self) -> tuple[Topic, ...]:
        """All topics; of images the first one's encoding too."""
        return tuple(Topic(item.topic, item.msgtype, item.msgcount, self._sample(item)) for item in self.connections)

    def fingerprint(self) -> dict[str, Any]:
        """Tells whether a bag is still the same."""
        return {'input': str(self.path.resolve()), 'messages': self.reader.message_count,
                'begin_ns': self.reader.start_time, 'end_ns': self.reader.end_time}

    def count(self, cameras: Sequence[Camera]) -> int:
        return sum(item.msgcount for item in self._of(cameras))

    def pictures(self, cameras: Sequence[Camera], skip: int = 0, only: Optional[Collection[int]] = None) -> Iterator[Picture]:
        """The cameras' images in the bag's order but for the first `skip`; decoded by threads, a few ahead.

        :param only: numbers of the images that are wanted, counted from the first of the bag; None: all
        """
        raws: Iterator[Any] = islice(self.reader.messages(self._of(cameras)), skip, None)
        if only is not None:
            raws = (raw for number, raw in enumerate(raws, skip) if number in only)
        pending: deque[Future[Picture]] = deque()
        with ThreadPoolExecutor(2) as threads:
            for connection, _, raw in raws:
                pending.append(threads.submit(self._decode, connection, raw))
                if len(pending) > DECODED_AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def stamps_s(self, camera: Camera, count: int) -> list[float]:
        """Stamps of the first `count` images of a camera, those of damaged messages left out."""
        stamps = []
        for connection, _, raw in islice(self.reader.messages(self._of([camera])), count):
            try:
                stamp = self.header(connection, raw).stamp
            except Exception:       # whatever damaged bytes provoke in the decoder
                continue
            stamps.append(stamp.sec + stamp.nanosec * 1e-9)
        return stamps

    def header(self, connection: Connection, raw: bytes) -> Any:
        """Header of an image message that is known to be readable."""
        return self.reader.deserialize(raw, connection.msgtype).header

    def _of(self, cameras: Sequence[Camera]) -> list[Connection]:
        names = {camera.topic for camera in cameras}
        return [item for item in self.connections if item.topic in names and item.msgtype in (IMAGE, COMPRESSED)]

    def _decode(self, connection: Connection, raw: bytes) -> Picture:
        try:
            message = self.reader.deserialize(raw, connection.msgtype)
        except Exception:       # whatever damaged bytes provoke in the decoder
            return Picture(connection.topic, 0.0, None, 'damaged message')
        stamp_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        try:
            rgb = to_rgb(message)
        except ImageError as error:
            encoding = f' {message.encoding[:20]}' if error.kind == 'unknown encoding' else ''
            return Picture(connection.topic, stamp_s, None, error.kind + encoding)
        return Picture(connection.topic, stamp_s, rgb, '')

    def _sample(self, connection: Connection) -> str:
        if connection.msgtype not in (IMAGE, COMPRESSED):
            return ''
        try:
            for _, _, raw in self.reader.messages([connection]):
                message = self.reader.deserialize(raw, connection.msgtype)
                return message.format if connection.msgtype == COMPRESSED else message.encoding
        except Exception:       # damaged: found and counted when it is decoded
            pass
        return ''
