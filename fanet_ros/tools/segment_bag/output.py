# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The finished bag: every message of the input as it was, and each mask right behind its image."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable, Final, Iterator, Optional, Sequence

import numpy as np
from rosbags.interfaces import Connection, MessageDefinitionFormat, QosDurability
from rosbags.rosbag2 import StoragePlugin, Writer

from fanet_ros.bags.joined_frames import InputBag
from fanet_ros.bags.topics import COMPRESSED, IMAGE, Camera
from fanet_ros.inference import ClassMap
from fanet_ros.tools.segment_bag.classes import LATCHED_QOS, class_messages, class_typestore

# Version 9 spells QoS values as words, which Humble's ros2 bag cannot read; every distribution reads 8.
BAG_VERSION: Final = 8
# That of the node's masks.
MASK_QOS = LATCHED_QOS._replace(depth=5, durability=QosDurability.VOLATILE)
UNKNOWN_HASH = 'RIHS01_' + '0' * 64
STORE = class_typestore()


def write_bag(path: Path, bag: InputBag, cameras: Sequence[Camera], masks: Iterator[np.ndarray | None],
              class_map: ClassMap, drop: Sequence[str], storage: Optional[StoragePlugin],
              advance: Callable[[], Any]) -> int:
    """Write the whole bag to `path`, which must not exist, and to the disk; returns the number of masks.

    :param masks: one for each image of `cameras`, in the bag's order
    :param drop: topics that are left out
    :param storage: None: the input's own
    :param advance: called after every message of the input
    """
    writer = Writer(path, version=BAG_VERSION, storage_plugin=storage or storage_of(bag.path))
    count = 0
    with writer:
        writer.set_custom_data('fanet_ros_class_map', json.dumps({
            'name': class_map.name, 'classes': [{'name': name, 'color': list(color)} for name, color in
                                                zip(class_map.names, class_map.colors)]}))
        kept = {(item.topic, item.msgtype): _copy(writer, bag, item) for item in bag.connections if item.topic not in drop}
        mask_of = {camera.topic: writer.add_connection(camera.mask_topic, IMAGE, typestore=STORE,
                                                       offered_qos_profiles=[MASK_QOS]) for camera in cameras}
        _write_classes(writer, cameras, class_map, bag.reader.start_time)
        for connection, received_ns, raw in bag.reader.messages():
            if (connection.topic, connection.msgtype) in kept:
                writer.write(kept[connection.topic, connection.msgtype], received_ns, raw)
            if connection.topic in mask_of and connection.msgtype in (IMAGE, COMPRESSED):
                labels = next(masks)
                if labels is not None:
                    message = mask_message(labels, bag.header(connection, raw))
                    writer.write(mask_of[connection.topic], received_ns, STORE.serialize_cdr(message, IMAGE))
                    count += 1
            advance()
    for file in (*path.iterdir(), path):
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return count


def _write_classes(writer: Writer, cameras: Sequence[Camera], class_map: ClassMap, begin_ns: int) -> None:
    """What the masks mean, before the first one."""
    for camera in cameras:
        for name, (kind, message) in class_messages(STORE, class_map, begin_ns).items():
            connection = writer.add_connection(f'{camera.prefix}{name}', kind, typestore=STORE,
                                               offered_qos_profiles=[LATCHED_QOS])
            writer.write(connection, begin_ns, STORE.serialize_cdr(message, kind))


def mask_message(labels: np.ndarray, header: Any) -> Any:
    """Image mono8 of (H, W) uint8 with the camera's header."""
    stamp = STORE.types['builtin_interfaces/msg/Time'](sec=header.stamp.sec, nanosec=header.stamp.nanosec)
    height, width = labels.shape
    return STORE.types[IMAGE](
        header=STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id=header.frame_id), height=height, width=width,
        encoding='mono8', is_bigendian=0, step=width, data=np.ascontiguousarray(labels).reshape(-1))


def storage_of(path: Path) -> StoragePlugin:
    """How a bag is stored: by its files."""
    names = [path.name] if path.is_file() else [file.name for file in path.iterdir()]
    return StoragePlugin.SQLITE3 if any('.db3' in name for name in names) else StoragePlugin.MCAP


def _copy(writer: Writer, bag: InputBag, item: Connection) -> Connection:
    """The same topic in the new bag; definitions that old sqlite3 bags lack come from rosbags where it knows them."""
    text, type_hash = item.msgdef.data, item.digest
    if item.msgdef.format == MessageDefinitionFormat.NONE or not type_hash:
        try:
            if item.msgdef.format == MessageDefinitionFormat.NONE:
                text, _ = bag.reader.typestore.generate_msgdef(item.msgtype, ros_version=2)
            type_hash = type_hash or bag.reader.typestore.hash_rihs01(item.msgtype)
        except Exception:       # a type that neither the bag nor rosbags knows: its messages are kept all the same
            type_hash = type_hash or UNKNOWN_HASH
    return writer.add_connection(item.topic, item.msgtype, msgdef=text, rihs01=type_hash,
                                 serialization_format=getattr(item.ext, 'serialization_format', 'cdr'),
                                 offered_qos_profiles=getattr(item.ext, 'offered_qos_profiles', ()))
