# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the finished bag: every message of the input unmodified, and each mask directly after its image."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence

import cv2
import numpy as np
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import StoragePlugin

from fanet_ros.bags.copying import copy_topics, storage_of
from fanet_ros.bags.definitions import definition_in
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import COMPRESSED, IMAGE, IMAGE_TYPES, Camera
from fanet_ros.bags.writer import BagWriter
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX, MASK_PNG
from fanet_ros.inference import ClassMap
from fanet_ros.tools.segment_bag.classes import LATCHED_QOS, class_messages, class_typestore

# As for the node's mask topic.
MASK_QOS = LATCHED_QOS._replace(depth=5, durability=QosDurability.VOLATILE)
STORE = class_typestore()


def write_bag(path: Path, bag: BagReader, cameras: Sequence[Camera], masks: Iterator[np.ndarray | None],
              class_map: ClassMap, drop: Sequence[str], storage: Optional[StoragePlugin],
              advance: Callable[[], Any], *, as_png: bool = False) -> int:
    """Write the whole bag to `path`, which must not exist, and sync it to disk; returns the number of masks.

    :param masks: one per image of `cameras`, in the bag's order; None: no mask
    :param drop: topics to leave out
    :param storage: None: as the input
    :param advance: called after every message of the input
    :param as_png: write masks as CompressedImage on MASK_TOPIC/compressed, with the same labels
    """
    classes = [{'name': name, 'color': list(color)} for name, color in zip(class_map.names, class_map.colors)]
    suffix, mask_type, encode = (COMPRESSED_SUFFIX, COMPRESSED, png_message) if as_png else ('', IMAGE, mask_message)
    mask_topics = {camera.topic: camera.mask_topic + suffix for camera in cameras}
    count = 0
    with BagWriter(path, storage=storage or storage_of(bag.path), custom_data={
            'fanet_ros_class_map': json.dumps({'name': class_map.name, 'classes': classes})}) as writer:
        copy_topics(writer, bag, [item for item in bag.connections if item.topic not in drop])
        for mask_topic in mask_topics.values():
            writer.add_topic(mask_topic, mask_type, [MASK_QOS], definition_in(STORE, mask_type))
        _write_classes(writer, cameras, class_map, bag.start_time)
        for connection, received_ns, raw in bag.messages():
            if connection.topic not in drop:
                writer.write(connection.topic, connection.msgtype, received_ns, raw)
            if connection.topic in mask_topics and connection.msgtype in IMAGE_TYPES:
                labels = next(masks)
                if labels is not None:
                    message = encode(labels, bag.decode(connection, raw).header)
                    writer.write(mask_topics[connection.topic], mask_type, received_ns,
                                 bytes(STORE.serialize_cdr(message, mask_type)))
                    count += 1
            advance()
    writer.sync()
    return count


def _write_classes(writer: BagWriter, cameras: Sequence[Camera], class_map: ClassMap, begin_ns: int) -> None:
    """Write the class messages, before the first mask."""
    for camera in cameras:
        for name, (kind, message) in class_messages(STORE, class_map, begin_ns).items():
            topic = f'{camera.prefix}{name}'
            writer.add_topic(topic, kind, [LATCHED_QOS], definition_in(STORE, kind))
            writer.write(topic, kind, begin_ns, bytes(STORE.serialize_cdr(message, kind)))


def mask_message(labels: np.ndarray, header: Any) -> Any:
    """mono8 Image of (H, W) uint8 labels, with the header of the camera image."""
    height, width = labels.shape
    return STORE.types[IMAGE](header=_copied(header), height=height, width=width, encoding='mono8', is_bigendian=0, step=width,
                              data=np.ascontiguousarray(labels).reshape(-1))


def png_message(labels: np.ndarray, header: Any) -> Any:
    """CompressedImage with a grey PNG of (H, W) uint8 labels, with the header of the camera image."""
    return STORE.types[COMPRESSED](header=_copied(header), format=MASK_PNG, data=cv2.imencode('.png', labels)[1].reshape(-1))


def _copied(header: Any) -> Any:
    """The header in our types: another distribution's may have other fields."""
    stamp = STORE.types['builtin_interfaces/msg/Time'](sec=header.stamp.sec, nanosec=header.stamp.nanosec)
    return STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id=header.frame_id)
