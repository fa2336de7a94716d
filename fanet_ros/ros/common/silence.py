# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why no image arrives, according to the ROS graph: no publisher, another type, or incompatible QoS."""
from __future__ import annotations

from typing import Any, Iterable, Optional

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.timer import Timer
from rclpy.topic_endpoint_info import TopicEndpointInfo

from fanet_ros.images.transport_format import other_transport

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:     # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

# A publisher is discovered before the name of its node.
UNKNOWN_NAME = '_NODE_NAME_UNKNOWN_'
NAME_PERIOD_S = 0.2
NAME_ATTEMPTS = 25


def mismatches(node: Node, topic: str, wanted_qos: QoSProfile) -> dict[str, str]:
    """Full names of the nodes that publish `topic` with QoS incompatible with the subscription of `node`, with the reason.

    :param topic: full name
    :param wanted_qos: QoS of the subscription before overrides, which are looked up
    """
    own = own_qos(node, node.get_subscriptions_info_by_topic(topic)) or wanted_qos
    found = {full_name(info): incompatibility(info.qos_profile, own) for info in node.get_publishers_info_by_topic(topic)}
    return {name: reason for name, reason in found.items() if reason}


def own_qos(node: Node, endpoints: Iterable[TopicEndpointInfo]) -> Optional[QoSProfile]:
    """QoS of the first of these endpoints that belongs to `node`, with overrides; None: none does."""
    own = node.get_name(), node.get_namespace()
    return next((info.qos_profile for info in endpoints if (info.node_name, info.node_namespace) == own), None)


def incompatibility(publisher: QoSProfile, subscription: QoSProfile) -> str:
    """Why a subscription with this QoS receives nothing from such a publisher; '' if it does."""
    compatibility, reason = qos_check_compatible(publisher, subscription)
    return reason.removeprefix('ERROR:').strip(' ;') if compatibility == QoSCompatibility.ERROR else ''


def full_name(info: TopicEndpointInfo) -> str:
    """Name of an endpoint's node, with its namespace."""
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def why_silent(node: Node, topic: str, wanted_type: str, wanted_qos: QoSProfile) -> str:
    """The likeliest reason why nothing is received on `topic`, in a few words that name it and its publishers.

    :param topic: full name
    :param wanted_type: type of the subscription, such as 'sensor_msgs/msg/Image'
    :param wanted_qos: QoS of the subscription before overrides, which are looked up
    """
    publishers = node.get_publishers_info_by_topic(topic)
    if not publishers:
        remedy = transport_remedy(node, topic)
        return f'nobody publishes {topic}' + (f', but {remedy}' if remedy else '')
    other_types = sorted({info.topic_type for info in publishers} - {wanted_type})
    publishers = [info for info in publishers if info.topic_type == wanted_type]
    if not publishers:
        return (f'{topic} carries {", ".join(other_types)}, expected {wanted_type}: '
                'check the topic and image_transport')
    incompatible = mismatches(node, topic, wanted_qos)
    matching = heard_publishers(node, topic, wanted_type, wanted_qos)
    reasons = [f'{name} publishes {topic} with incompatible QoS ({reason})' for name, reason in sorted(incompatible.items())]
    if matching:
        reasons.append(f'{topic} has a publisher, {", ".join(matching)}, but it is silent')
    return '; '.join(reasons)


def transport_remedy(node: Node, topic: str) -> str:
    """What to set if the images are published raw instead of compressed, or the other way round; '' if they are not."""
    other, transport = other_transport(topic)
    return f'{other} is published: set image_transport to {transport}' if node.count_publishers(other) else ''


def heard_publishers(node: Node, topic: str, wanted_type: str, wanted_qos: QoSProfile) -> list[str]:
    """Full names of the nodes whose publishers on `topic` have this type and compatible QoS; arguments as in why_silent()."""
    incompatible = mismatches(node, topic, wanted_qos)
    return sorted({full_name(info) for info in node.get_publishers_info_by_topic(topic) if info.topic_type == wanted_type}
                  - incompatible.keys())


class MismatchWarning:
    """Logs a warning, once per publishing node, for each publisher whose QoS is incompatible with a subscription.

    Pass `callbacks` to create_subscription() as event_callbacks. Compatible publishers do not suppress the warning.

    :param topic: full name
    :param wanted_qos: QoS of the subscription before overrides
    """

    def __init__(self, node: Node, topic: str, wanted_qos: QoSProfile) -> None:
        self._node, self._topic, self._wanted_qos = node, topic, wanted_qos
        self._warned: set[str] = set()
        self._timer: Optional[Timer] = None
        self._attempts = 0
        self.callbacks = SubscriptionEventCallbacks(incompatible_qos=self._on_event)

    def _on_event(self, event: Any) -> None:
        self._attempts = 0
        if self._timer is None:
            # Not the node's clock: simulated time may be paused.
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = self._node.create_timer(NAME_PERIOD_S, self._warn, clock=steady)

    def _warn(self) -> None:
        self._attempts += 1
        found = mismatches(self._node, self._topic, self._wanted_qos)
        named = {name: reason for name, reason in found.items() if UNKNOWN_NAME not in name}
        for name in sorted(named.keys() - self._warned):
            self._warned.add(name)
            self._node.get_logger().warning(
                f'no image from {name} arrives: it publishes {self._topic} with incompatible QoS ({named[name]}). '
                f'Change its QoS, or start this node with matching qos_overrides.{self._topic}.subscription.*')
        is_done = (found and len(named) == len(found)) or self._attempts >= NAME_ATTEMPTS
        if is_done and self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
