# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accepts `qos_overrides.TOPIC.subscription.POLICY` parameters with the topic's name before or after remapping.

rclpy only reads them by the name after remapping, and silently ignores the others.
"""
from __future__ import annotations

import copy
import re
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional

from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from fanet_ros.ros.common.transport_topic import remapped_topic

PREFIX = 'qos_overrides.'
EXPECTED = f'expected {PREFIX}TOPIC.subscription (or publisher).reliability, .depth or .history, with a topic of this node'
FOLLOWS_PUBLISHERS = 'this node follows the QoS of the publishers'
NAME = re.compile(r'qos_overrides\.(/[^.]+)\.(publisher|subscription)(_\w+)?\.\w+')


def overridable_publisher(node: Node, message_type: type, name: str, qos: QoSProfile) -> Publisher:
    """A publisher whose `qos` the parameters may override; `qos` itself stays as it is.

    :raises ValueError: an invalid value
    """
    with named_errors(node, name, 'publisher'):
        # A copy: rclpy writes overrides into the profile it is given.
        return node.create_publisher(message_type, name, copy.copy(qos),
                                     qos_overriding_options=QoSOverridingOptions.with_default_policies())


def overridable_subscription(node: Node, message_type: type, name: str, on_message: Callable[[Any], None],
                             qos: QoSProfile) -> Subscription:
    """A subscription whose `qos` the parameters may override, as overridable_publisher()."""
    with named_errors(node, name, 'subscription'):
        return node.create_subscription(message_type, name, on_message, copy.copy(qos),
                                        qos_overriding_options=QoSOverridingOptions.with_default_policies())


@contextmanager
def named_errors(node: Node, name: str, kind: str) -> Iterator[None]:
    """Name the overrides in errors of rclpy and the middleware about their values, which do not say whose they are.

    :param name: of the topic that is being created
    :param kind: 'publisher' or 'subscription'
    :raises ValueError: an invalid value
    """
    try:
        yield
    except RuntimeError as error:
        prefix = f'{PREFIX}{node.resolve_topic_name(name)}.{kind}.'
        given = [f'{key} is {value.value!r}' for key, value in node._parameter_overrides.items() if key.startswith(prefix)]
        if not given or not node.context.ok():      # shutdown was requested, which makes ROS calls fail
            raise
        raise ValueError(f'{", ".join(given)}: {error}') from None


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
