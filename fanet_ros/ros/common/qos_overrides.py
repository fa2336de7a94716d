# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accepts `qos_overrides.TOPIC.subscription.POLICY` parameters with the topic's name before or after remapping.

rclpy only reads them by the name after remapping, and silently ignores the others.
"""
from __future__ import annotations

import copy
import re
from typing import Optional

from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from fanet_ros.ros.common.transport_topic import remapped_topic

PREFIX = 'qos_overrides.'
EXPECTED = f'expected {PREFIX}TOPIC.subscription (or publisher).reliability, .depth or .history, with a topic of this node'
FOLLOWS_PUBLISHERS = 'this node follows the QoS of the publishers'
NAME = re.compile(r'qos_overrides\.(/[^.]+)\.(publisher|subscription)(_\w+)?\.\w+')


def overridable_publisher(node: Node, message_type: type, name: str, qos: QoSProfile) -> Publisher:
    """A publisher whose `qos` the parameters may override; `qos` itself stays as it is."""
    # A copy: rclpy writes overrides into the profile it is given.
    return node.create_publisher(message_type, name, copy.copy(qos),
                                 qos_overriding_options=QoSOverridingOptions.with_default_policies())


def follow_remapping(node: Node) -> None:
    """Copy overrides given for a topic's name before remapping to the one after it, unless that has its own value.

    Call before creating publishers and subscriptions.
    """
    given = node._parameter_overrides       # no public API reads or changes them before declaration
    for name in list(given):
        if new := _remapped(node, name):
            given.setdefault(new, Parameter(new, value=given[name].value))


def warn_of_unused_overrides(node: Node, expected: str = EXPECTED) -> None:
    """Log each override of an unknown topic or a policy that cannot be overridden. Call after creating all topics.

    :param expected: what would be used, in a few words
    """
    for line in unused_overrides(node, expected):
        node.get_logger().warning(line)


def unused_overrides(node: Node, expected: str = EXPECTED) -> list[str]:
    """The lines that warn_of_unused_overrides() logs."""
    return [f'{name} is not used: {expected}' for name in node._parameter_overrides
            if name.startswith(PREFIX) and not node.has_parameter(name) and _remapped(node, name) is None]


def _remapped(node: Node, name: str) -> Optional[str]:
    match = NAME.fullmatch(name)
    if match is None:
        return None
    topic = remapped_topic(node, match[1])
    return None if topic == match[1] else name.replace(match[1], topic, 1)
