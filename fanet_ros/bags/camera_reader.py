# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read the images of a bag's cameras, decoded ahead of the network."""
from __future__ import annotations

from itertools import islice
from typing import Any, Collection, Iterator, NamedTuple, Optional, Sequence

import numpy as np
from rosbags.interfaces import Connection

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import IMAGE_TYPES, Camera, is_of_node
from fanet_ros.images.decoding import ImageError
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.in_order import in_order


class BagImage(NamedTuple):
    """One camera image: `rgb` (H, W, 3) uint8, or None with a short `reason`."""

    topic: str
    stamp_s: float
    rgb: Optional[np.ndarray]
    reason: str
    stamp_ns: int = 0


class CameraReader(BagReader):
    """An open bag that yields decoded images of its cameras."""

    def fingerprint(self) -> dict[str, Any]:
        """Identity of the bag's contents, for detecting changes."""
        return {'input': str(self.path.resolve()), 'messages': self.message_count,
                'begin_ns': self.start_time, 'end_ns': self.end_time}

    def node_outputs(self) -> tuple[str, ...]:
        """Topics of segmentation nodes that were recorded too, sorted."""
        return tuple(sorted({item.topic for item in self.connections if is_of_node(item.topic)}))

    def count(self, cameras: Sequence[Camera]) -> int:
        return sum(item.msgcount for item in self._of(cameras))

    def images(self, cameras: Sequence[Camera], skip: int = 0, only: Optional[Collection[int]] = None,
               start: Optional[int] = None, stop: Optional[int] = None, threads: int = 2) -> Iterator[BagImage]:
        """Yield the cameras' images in the bag's order, without the first `skip`; threads decode a few ahead.

        :param only: numbers of the images to read, counted from the first in the bag; None: all
        :param start: yield only images received at start <= time < stop [ns]; `skip` and `only` then count within this range
        :param stop: see `start`
        :param threads: number of threads
        """
        raws: Iterator[Any] = islice(self.messages(self._of(cameras), start, stop), skip, None)
        if only is not None:
            raws = (raw for number, raw in enumerate(raws, skip) if number in only)
        return in_order(lambda item: self._image(item[0], item[2]), raws, threads)

    def stamps_s(self, camera: Camera, count: int) -> list[float]:
        """Stamps of the first `count` images of a camera [s], without damaged messages."""
        stamps = []
        for connection, _, raw in islice(self.messages(self._of([camera])), count):
            try:
                stamps.append(stamp_ns(self.decode(connection, raw).header) / 10**9)
            except BagError:
                continue
        return stamps

    def _of(self, cameras: Sequence[Camera]) -> list[Connection]:
        return self.select([camera.topic for camera in cameras], IMAGE_TYPES)

    def _image(self, connection: Connection, raw: bytes) -> BagImage:
        try:
            message = self.decode(connection, raw)
        except BagError:
            return BagImage(connection.topic, 0.0, None, 'damaged message')
        taken_ns = stamp_ns(message.header)
        stamp_s = taken_ns / 10**9
        try:
            rgb = self.rgb(connection.topic, message)
        except ImageError as error:
            encoding = f' {message.encoding[:20]}' if error.kind == 'unknown encoding' else ''
            return BagImage(connection.topic, stamp_s, None, error.kind + encoding, taken_ns)
        return BagImage(connection.topic, stamp_s, rgb, '', taken_ns)
