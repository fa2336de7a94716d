# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small bags with known content, written without ROS."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
from rosbags.typesys import get_types_from_msg
from rosbags.typesys.store import Typestore

from fanet_ros.bags.definitions import message_definition
from fanet_ros.bags.writer import BagWriter
from fanet_ros.inference import ClassMap
from fanet_ros.tools.segment_bag.classes import class_messages, class_typestore

IMAGE = 'sensor_msgs/msg/Image'
TIMING = 'fanet_ros/msg/FrameTiming'
START_NS = 1_700_000_000 * 10**9
PERIOD_NS = 10**8


@dataclass
class FrameWriter:
    """Writes images and timing messages stamped by frame number, with reception times 1 ms apart."""

    bag: BagWriter
    store: Typestore
    clock_ns: int = field(default=START_NS)

    def image(self, topic: str, number: int, pixels: np.ndarray, *, frame_id: str = 'camera',
              padding: int = 0, encoding: Optional[str] = None) -> None:
        """Write an image; `pixels`: (H, W) for mono8 or (H, W, 3) for rgb8, or with `encoding`; rows get `padding` bytes more."""
        height, width = pixels.shape[:2]
        rows = np.pad(np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1), ((0, 0), (0, padding)))
        self._write(topic, IMAGE, self.store.types[IMAGE](
            header=self._header(number, frame_id), height=height, width=width,
            encoding=encoding or ('mono8' if pixels.ndim == 2 else 'rgb8'), is_bigendian=0,
            step=rows.shape[1], data=rows.ravel()))

    def timing(self, number: int, **values: Any) -> None:
        """Write a timing message; fields not in `values` are 0."""
        content: dict[str, Any] = {
            name: 0 for name in self.store.types[TIMING].__dataclass_fields__ if name != '__msgtype__'}
        content.update(values, header=self._header(number, 'camera'))
        self._write('/segmentation/timing', TIMING, self.store.types[TIMING](**content))

    def class_map(self, topic: str, number: int, names: tuple[str, ...]) -> None:
        """Write a class map with these names for the values 0, 1, ..., from frame `number` on."""
        class_map = ClassMap('some', names, ((0, 0, 0),) * len(names))
        self._write(topic, *class_messages(self.store, class_map, stamp_ns(number))['class_map'])

    def _header(self, number: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(stamp_ns(number), 10**9)
        stamp = self.store.types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds)
        return self.store.types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)

    def _write(self, topic: str, type_name: str, message: Any) -> None:
        if not self.bag.has_topic(topic, type_name):
            self.bag.add_topic(topic, type_name, [])
        self.bag.write(topic, type_name, self.clock_ns, bytes(self.store.serialize_cdr(message, type_name)))
        self.clock_ns += 10**6


def stamp_ns(number: int) -> int:
    """Camera stamp of frame `number`."""
    return START_NS + number * PERIOD_NS


def write_bag(path: Path, fill: Callable[[FrameWriter], None]) -> Path:
    """Write a bag with the messages of `fill`; returns `path`."""
    store = class_typestore()
    own_text = message_definition(TIMING).text.split('=' * 80)[0]
    store.register(get_types_from_msg(own_text, TIMING))
    with BagWriter(path) as bag:
        fill(FrameWriter(bag, store))
    return path
