# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The reliability that an image subscription needs, so that it hears every publisher and loses no frame it need not lose.

A best-effort subscription loses every frame of which one fragment does not arrive: half of them, where a reliable camera
sends images larger than its transport's buffers. A reliable one hears no best-effort camera. rclpy's BEST_AVAILABLE (Iron
and later) is decided once, by those who publish when the subscription is made, and wrongly if a best-effort one comes later.
"""
from __future__ import annotations

from typing import Iterable

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

FOLLOW = 'best_available'
RELIABILITIES = {'reliable': ReliabilityPolicy.RELIABLE, 'best_effort': ReliabilityPolicy.BEST_EFFORT,
                 'system_default': ReliabilityPolicy.SYSTEM_DEFAULT}


def image_qos(reliability: ReliabilityPolicy) -> QoSProfile:
    """Only the newest image is kept: on a slow network older ones make room for it, so that no age builds up."""
    return QoSProfile(depth=1, reliability=reliability)


def fitting_reliability(publishers: Iterable[TopicEndpointInfo]) -> ReliabilityPolicy:
    """Reliable unless one of `publishers` is best effort: what all of them can be heard with."""
    is_best_effort = any(info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for info in publishers)
    return ReliabilityPolicy.BEST_EFFORT if is_best_effort else ReliabilityPolicy.RELIABLE


def chosen_reliability(node: Node, topic: str) -> ReliabilityPolicy | None:
    """What the parameter `qos_overrides.TOPIC.subscription.reliability` asks for; None: follow the publishers.

    :param topic: full name
    :raises ValueError: a value that is none
    """
    name = f'qos_overrides.{topic}.subscription.reliability'
    if not node.has_parameter(name):
        node.declare_parameter(name, FOLLOW, ParameterDescriptor(
            read_only=True, description='best_available: like the publishers, adapted as they come and go',
            additional_constraints=f'one of {FOLLOW}, {", ".join(RELIABILITIES)}'))
    value = node.get_parameter(name).value
    if value != FOLLOW and value not in RELIABILITIES:
        raise ValueError(f'parameter {name} is {value!r}: expected one of {FOLLOW}, {", ".join(RELIABILITIES)}')
    return RELIABILITIES.get(value)
