# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that describe the classes of a bag's masks: the node's ClassMap, and LabelInfo as Nav2 reads it."""
from __future__ import annotations

from typing import Any

import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fanet_ros.inference import ClassMap
from fanet_ros.package_share import share_directory

CLASS_MAP, LABEL_INFO, VISION_CLASS = 'fanet_ros/msg/ClassMap', 'vision_msgs/msg/LabelInfo', 'vision_msgs/msg/VisionClass'
# Copied from vision_msgs, which need not be installed.
VISION_DEFINITIONS = {
    VISION_CLASS: 'uint16 class_id\nstring class_name\n',
    LABEL_INFO: 'std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold\n'}
FOREVER = QosTime(2147483647, 4294967295)
LATCHED_QOS = Qos(QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL, FOREVER, FOREVER,
                  QosLiveliness.AUTOMATIC, FOREVER, False)


def class_typestore() -> Typestore:
    """Standard message types plus ClassMap, LabelInfo and VisionClass."""
    store = get_typestore(Stores.ROS2_JAZZY)
    definition = (share_directory() / 'msg' / 'ClassMap.msg').read_text(encoding='utf-8')
    for name, text in {CLASS_MAP: definition, **VISION_DEFINITIONS}.items():
        store.register(get_types_from_msg(text, name))
    return store


def class_messages(store: Typestore, class_map: ClassMap, stamp_ns: int) -> dict[str, tuple[str, Any]]:
    """Message type and message for masks with the indices of `class_map`; the keys are the last parts of the topic names."""
    stamp = store.types['builtin_interfaces/msg/Time'](sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    header = store.types['std_msgs/msg/Header'](stamp=stamp, frame_id='')
    color, entry = store.types['std_msgs/msg/ColorRGBA'], store.types[VISION_CLASS]
    return {
        'class_map': (CLASS_MAP, store.types[CLASS_MAP](
            header=header, name=class_map.name, ids=np.arange(len(class_map), dtype=np.uint8), names=list(class_map.names),
            colors=[color(r=red / 255, g=green / 255, b=blue / 255, a=1.0) for red, green, blue in class_map.colors])),
        'label_info': (LABEL_INFO, store.types[LABEL_INFO](
            header=header, class_map=[entry(class_id=number, class_name=name) for number, name in enumerate(class_map.names)],
            threshold=0.0))}
