# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics to record: their syntax, types and QoS."""
from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import Optional

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from fanet_ros.ros.common.qos_choice import fitting_reliability

MESSAGE_TYPE = re.compile(r'[A-Za-z]\w*/msg/[A-Za-z]\w*', re.ASCII)
# Messages that can be queued while the disk is busy.
QUEUE_DEPTH = 100

# All optional: those that exist are recorded.
DEFAULT_TOPICS = (
    'image:sensor_msgs/msg/Image?',
    'ground_truth:sensor_msgs/msg/Image?',
    'segmentation/mask:sensor_msgs/msg/Image?',
    'segmentation/overlay:sensor_msgs/msg/Image?',
    'segmentation/timing:fanet_ros/msg/FrameTiming?',
    'segmentation/class_map:fanet_ros/msg/ClassMap?',
    'segmentation/label_info?',
    '/diagnostics:diagnostic_msgs/msg/DiagnosticArray?',
)


@dataclass(frozen=True)
class TopicRequest:
    """A topic to record.

    With a type, it is subscribed at once and no message is missed; without one, as soon as it is published.
    A topic without messages is an error unless it is optional.
    """

    name: str
    type_name: Optional[str]
    is_optional: bool = False

    @classmethod
    def parse(cls, text: str) -> TopicRequest:
        """Parse 'name' or 'name:package/msg/Type'; a trailing '?' makes it optional.

        :raises ValueError: malformed text
        """
        is_optional = text.strip().endswith('?')
        name, colon, type_name = text.strip().rstrip('?').partition(':')
        if not name or (colon and not MESSAGE_TYPE.fullmatch(type_name)):
            raise ValueError(f'topic {text!r}: expected NAME or NAME:PACKAGE/msg/TYPE')
        return cls(name, type_name or None, is_optional)


def message_class(type_name: str) -> type:
    """The class of 'package/msg/Type'.

    :raises ImportError: the package is not installed, or the name is not that of a message
    :raises AttributeError: the package has no such message
    """
    if not MESSAGE_TYPE.fullmatch(type_name):
        raise ImportError(f'{type_name!r} is not PACKAGE/msg/TYPE')
    package, _, name = type_name.split('/')
    return getattr(import_module(f'{package}.msg'), name)


def published_type(node: Node, topic: str) -> Optional[str]:
    """The type with which `topic` is published; None without publishers."""
    publishers = node.get_publishers_info_by_topic(topic)
    return publishers[0].topic_type if publishers else None


def subscription_qos(publishers: list[TopicEndpointInfo]) -> QoSProfile:
    """The strictest QoS that is compatible with all `publishers`.

    Reliable unless one is best effort; transient local if all are.
    """
    offered = [publisher.qos_profile for publisher in publishers]
    latched = bool(offered) and all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        depth=QUEUE_DEPTH, reliability=fitting_reliability(publishers),
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


def bag_qos(profile: QoSProfile) -> Qos:
    """A publisher's QoS profile as stored in a bag."""
    durability = QosDurability[DurabilityPolicy(profile.durability).name]
    liveliness = QosLiveliness[LivelinessPolicy(profile.liveliness).name]
    return Qos(
        history=QosHistory[profile.history.name], depth=profile.depth,
        reliability=QosReliability[ReliabilityPolicy(profile.reliability).name], durability=durability,
        deadline=_bag_time(profile.deadline), lifespan=_bag_time(profile.lifespan), liveliness=liveliness,
        liveliness_lease_duration=_bag_time(profile.liveliness_lease_duration),
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions)


def _bag_time(duration: Duration) -> QosTime:
    seconds, nanoseconds = divmod(duration.nanoseconds, 10**9)
    return QosTime(seconds, nanoseconds)
