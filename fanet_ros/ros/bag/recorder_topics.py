# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics a recorder takes, and what their publishers offer."""
from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Optional

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

# A burst of this many messages may wait while the disk is busy.
QUEUE_DEPTH = 100

# Whatever of these there is.
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

    With its type it is subscribed at once, so that not even the first message is missed; without, as soon as
    somebody publishes it. Of one that is optional nothing may come; of the others that is an error.
    """

    name: str
    type_name: Optional[str]
    is_optional: bool = False

    @classmethod
    def parse(cls, text: str) -> TopicRequest:
        """From 'name' or 'name:package/msg/Type', with '?' behind it: optional. Raises ValueError saying what is wrong."""
        is_optional = text.strip().endswith('?')
        name, colon, type_name = text.strip().rstrip('?').partition(':')
        if not name or (colon and type_name.count('/') != 2):
            raise ValueError(f'topic {text!r}: expected NAME or NAME:PACKAGE/msg/TYPE')
        return cls(name, type_name or None, is_optional)


def message_class(type_name: str) -> type:
    """The class of 'package/msg/Type'. Raises ImportError or AttributeError where it is not installed."""
    package, _, name = type_name.split('/')
    return getattr(import_module(f'{package}.msg'), name)


def published_type(node: Node, topic: str) -> Optional[str]:
    """The type under which `topic` is published, None while nobody does."""
    publishers = node.get_publishers_info_by_topic(topic)
    return publishers[0].topic_type if publishers else None


def subscription_qos(publishers: list[TopicEndpointInfo]) -> QoSProfile:
    """Ask for as much as all known publishers offer, so that no one is left out.

    That is: reliable unless one is best effort, and their latched messages if all are latched.
    """
    offered = [publisher.qos_profile for publisher in publishers]
    best_effort = any(qos.reliability == ReliabilityPolicy.BEST_EFFORT for qos in offered)
    latched = bool(offered) and all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        depth=QUEUE_DEPTH,
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


def bag_qos(profile: QoSProfile) -> Qos:
    """A publisher's QoS profile the way a bag stores it."""
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
