# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write small bags of a synthetic street, and read bags, without ROS."""
from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fanet_ros.sources import SyntheticStreet

STORE = get_typestore(Stores.ROS2_JAZZY)
IMAGE, TEXT = 'sensor_msgs/msg/Image', 'std_msgs/msg/String'
HEIGHT, WIDTH = 64, 96
PERIOD_NS = 10**8


@cache
def _frame(number: int, height: int, width: int) -> np.ndarray:
    return _street(height, width).frame(number).rgb


@cache
def _street(height: int, width: int) -> SyntheticStreet:
    return SyntheticStreet(width, height, seed=3)


def street_image(number: int, encoding: str = 'rgb8', *, height: int = HEIGHT, width: int = WIDTH) -> Any:
    """Frame `number` as an Image, different for each number; stamped 100 s + `number` periods + 7 ns."""
    rgb = np.roll(_frame(number % 7, height, width), number, 1)
    stamp = STORE.types['builtin_interfaces/msg/Time'](sec=100 + number // 10, nanosec=number % 10 * PERIOD_NS + 7)
    header = STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id=f'optical_{number}')
    return STORE.types[IMAGE](header=header, height=height, width=width, encoding=encoding, is_bigendian=0,
                              step=3 * width, data=rgb.reshape(-1))


def write_street_bag(path: Path, frames: int, *, storage: StoragePlugin = StoragePlugin.MCAP, topic: str = '/camera/image_raw',
                     encoding: str = 'rgb8', first: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Path:
    """Write `frames` images, one every 0.1 s from 1000 s + `first` periods on, each followed by a text message; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [street_image(number, encoding, height=height, width=width) for number in range(7)]
    with Writer(path, version=8, storage_plugin=storage) as writer:
        camera, note = (writer.add_connection(name, kind, typestore=STORE) for name, kind in ((topic, IMAGE), ('/note', TEXT)))
        for number in range(first, first + frames):
            now_ns = 10**12 + number * PERIOD_NS
            image = images[number % len(images)]
            image.header.stamp.sec, image.header.stamp.nanosec = 100 + number // 10, number % 10 * PERIOD_NS + 7
            image.header.frame_id = f'optical_{number}'
            image.data = np.roll(image.data.reshape(height, width, 3), 1, 1).reshape(-1)
            writer.write(camera, now_ns, STORE.serialize_cdr(image, IMAGE))
            writer.write(note, now_ns, STORE.serialize_cdr(STORE.types[TEXT](data=str(number)), TEXT))
    return path


def read_messages(path: Path) -> list[tuple[str, int, bytes]]:
    """(topic, reception time [ns], CDR bytes) of every message, in the bag's order."""
    with AnyReader([path]) as reader:
        return [(connection.topic, at_ns, bytes(data)) for connection, at_ns, data in reader.messages()]
