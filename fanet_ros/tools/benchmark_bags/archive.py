# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A synthetic archive: many short bags and a long one."""
from __future__ import annotations

from pathlib import Path

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fanet_ros.bags.writer import BAG_VERSION
from fanet_ros.sources import SyntheticStreet

STORE = get_typestore(Stores.ROS2_JAZZY)
IMAGE, TOPIC = 'sensor_msgs/msg/Image', '/camera/image_raw'
PERIOD_NS = 10**8
RENDERED = 7        # different frames; the others are these, shifted sideways


def write_archive(folder: Path, bags: int, frames: int, long_frames: int, size: tuple[int, int]) -> list[Path]:
    """Write `bags` bags of `frames` raw images each, and one of `long_frames`; returns the paths of the short ones.

    :param size: height and width of the images [px]
    """
    street = SyntheticStreet(size[1], size[0], seed=3)
    rendered = [street.frame(10 * number).rgb for number in range(RENDERED)]
    short = [folder / f'vehicle_{number % 20:02d}' / f'drive_{number:04d}' for number in range(bags)]
    for number, path in enumerate(short):
        _write_bag(path, rendered, number * frames, frames)
    if long_frames:
        _write_bag(folder / 'long', rendered, 0, long_frames)
    return short


def _write_bag(path: Path, rendered: list[np.ndarray], first: int, frames: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, _ = rendered[0].shape
    with Writer(path, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP) as writer:
        camera = writer.add_connection(TOPIC, IMAGE, typestore=STORE)
        for number in range(first, first + frames):
            at_ns = 10**12 + number * PERIOD_NS
            stamp = STORE.types['builtin_interfaces/msg/Time'](sec=at_ns // 10**9, nanosec=at_ns % 10**9)
            image = STORE.types[IMAGE](
                header=STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id='camera'), height=height, width=width,
                encoding='rgb8', is_bigendian=0, step=3 * width,
                data=np.roll(rendered[number % len(rendered)], number, 1).reshape(-1))
            writer.write(camera, at_ns, STORE.serialize_cdr(image, IMAGE))
