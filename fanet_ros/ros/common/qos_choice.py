# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the reliability of an image subscription: compatible with every publisher, and reliable where possible.

A best-effort subscription loses every frame with a missing fragment: half of them, if a reliable camera sends images larger
than its transport's buffers. A reliable one does not match a best-effort camera. rclpy's BEST_AVAILABLE (Iron and later) is
resolved once, from the publishers present at subscription, and is wrong if a best-effort one appears later.
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
    """QoS that keeps only the newest image, so that no backlog builds up on a slow network."""
    return QoSProfile(depth=1, reliability=reliability)


def fitting_reliability(publishers: Iterable[TopicEndpointInfo]) -> ReliabilityPolicy:
    """Reliable unless one of `publishers` is best effort: compatible with all of them."""
    is_best_effort = any(info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for info in publishers)
    return ReliabilityPolicy.BEST_EFFORT if is_best_effort else ReliabilityPolicy.RELIABLE


def chosen_reliability(node: Node, topic: str) -> ReliabilityPolicy | None:
    """Value of the parameter `qos_overrides.TOPIC.subscription.reliability`; None: follow the publishers.

    :param topic: full name
    :raises ValueError: an invalid value
    """
    name = f'qos_overrides.{topic}.subscription.reliability'
    if not node.has_parameter(name):
        node.declare_parameter(name, FOLLOW, ParameterDescriptor(
            read_only=True, description='best_available: match the publishers, and adapt when they change',
            additional_constraints=f'one of {FOLLOW}, {", ".join(RELIABILITIES)}'))
    value = node.get_parameter(name).value
    if value != FOLLOW and value not in RELIABILITIES:
        raise ValueError(f'parameter {name} is {value!r}: expected one of {FOLLOW}, {", ".join(RELIABILITIES)}')
    return RELIABILITIES.get(value)
