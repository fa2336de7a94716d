# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The user's `qos_overrides.TOPIC.subscription.POLICY` parameters, by the name of a topic before or after remapping.

rclpy reads them by the name after it; with the one that the README gives, nothing happens and nobody says so.
"""
from __future__ import annotations

import re
from typing import Optional

from rclpy.node import Node
from rclpy.parameter import Parameter

PREFIX = 'qos_overrides.'
NAME = re.compile(r'qos_overrides\.(/[^.]+)\.(publisher|subscription)(_\w+)?\.\w+')


def follow_remapping(node: Node) -> None:
    """Hold what is given for the name of a topic before remapping for the one after it, unless that has values of its own.

    To be called before the topics are made.
    """
    given = node._parameter_overrides       # nothing public tells them before they are declared, nor lets them be changed
    for name in list(given):
        if new := _remapped(node, name):
            given.setdefault(new, Parameter(new, value=given[name].value))


def unused_overrides(node: Node) -> list[str]:
    """A line for each that belongs to no topic of the node, or to a policy that cannot be changed; once all topics are made."""
    return [f'{name} is not used: expected {PREFIX}TOPIC.subscription (or publisher).reliability, .depth or .history, and the name '
            'of a topic of this node'
            for name in node._parameter_overrides
            if name.startswith(PREFIX) and not node.has_parameter(name) and _remapped(node, name) is None]


def _remapped(node: Node, name: str) -> Optional[str]:
    match = NAME.fullmatch(name)
    if match is None:
        return None
    topic = node.resolve_topic_name(match[1])
    return None if topic == match[1] else name.replace(match[1], topic, 1)
