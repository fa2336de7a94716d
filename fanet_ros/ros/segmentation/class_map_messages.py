# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages that map mask values to classes."""
from __future__ import annotations

from typing import Any, Optional, Sequence

from std_msgs.msg import ColorRGBA, Header

from fanet_ros.inference import PublishedClass
from fanet_ros.msg import ClassMap

try:    # optional: not part of every ROS installation
    from vision_msgs.msg import LabelInfo, VisionClass
except ImportError:
    LabelInfo = VisionClass = None


def class_map_message(name: str, classes: Sequence[PublishedClass], header: Header) -> ClassMap:
    """A fanet_ros/ClassMap, which also has colours."""
    return ClassMap(
        header=header, name=name, ids=[item.value for item in classes], names=[item.name for item in classes],
        colors=[ColorRGBA(r=red / 255, g=green / 255, b=blue / 255, a=1.0)
                for red, green, blue in (item.color for item in classes)])


def label_info_message(classes: Sequence[PublishedClass], header: Header, label_info: Optional[type] = None,
                       vision_class: Optional[type] = None) -> Any:
    """A vision_msgs/LabelInfo, as Nav2's semantic_segmentation_layer reads it.

    :param label_info: class to use instead of vision_msgs' LabelInfo
    :param vision_class: likewise instead of VisionClass, for its entries
    """
    entry = vision_class or VisionClass
    return (label_info or LabelInfo)(
        header=header, class_map=[entry(class_id=item.value, class_name=item.name) for item in classes], threshold=0.0)
