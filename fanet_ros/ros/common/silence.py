# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why no image arrives, as far as the ROS graph can tell: nobody publishes, another type, quality of service that does not fit."""
from __future__ import annotations

from typing import Any, Optional

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.timer import Timer
from rclpy.topic_endpoint_info import TopicEndpointInfo

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:     # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

# A publisher is known before the name of its node is.
UNKNOWN_NAME = '_NODE_NAME_UNKNOWN_'
NAME_PERIOD_S = 0.2
NAME_ATTEMPTS = 25


def mismatches(node: Node, topic: str, wanted_qos: QoSProfile) -> dict[str, str]:
    """Full names of the nodes that publish `topic` in vain for a subscription of `node`, each with the reason.

    :param topic: full name
    :param wanted_qos: what the subscription was made with; overrides of it are looked up
    """
    own = [info.qos_profile for info in node.get_subscriptions_info_by_topic(topic)
           if (info.node_name, info.node_namespace) == (node.get_name(), node.get_namespace())]
    found = {}
    for info in node.get_publishers_info_by_topic(topic):
        compatibility, reason = qos_check_compatible(info.qos_profile, own[0] if own else wanted_qos)
        if compatibility == QoSCompatibility.ERROR:
            found[full_name(info)] = reason.removeprefix('ERROR:').strip(' ;')
    return found


def full_name(info: TopicEndpointInfo) -> str:
    """Name of the node of an endpoint, with its namespace."""
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def why_silent(node: Node, topic: str, wanted_type: str, wanted_qos: QoSProfile) -> str:
    """The likeliest reason why nothing is heard on `topic`, in half a sentence that names it and its publishers.

    :param topic: full name
    :param wanted_type: type of the subscription, such as 'sensor_msgs/msg/Image'
    :param wanted_qos: what the subscription was made with; overrides of it are looked up
    """
    publishers = node.get_publishers_info_by_topic(topic)
    if not publishers:
        return f'nobody publishes {topic}'
    other_types = sorted({info.topic_type for info in publishers} - {wanted_type})
    publishers = [info for info in publishers if info.topic_type == wanted_type]
    if not publishers:
        return (f'{topic} carries {", ".join(other_types)}, expected {wanted_type}: '
                'check the topic and image_transport')
    unheard = mismatches(node, topic, wanted_qos)
    silent = heard_publishers(node, topic, wanted_type, wanted_qos)
    reasons = [f'{name} publishes {topic} with incompatible QoS ({reason})' for name, reason in sorted(unheard.items())]
    if silent:
        reasons.append(f'{topic} has a publisher, {", ".join(silent)}, but it is silent')
    return '; '.join(reasons)


def heard_publishers(node: Node, topic: str, wanted_type: str, wanted_qos: QoSProfile) -> list[str]:
    """Names of the nodes that publish on `topic` what a subscription like this hears."""
    unheard = mismatches(node, topic, wanted_qos)
    return sorted({full_name(info) for info in node.get_publishers_info_by_topic(topic) if info.topic_type == wanted_type}
                  - unheard.keys())


class MismatchWarning:
    """Warns once of every publisher that a subscription cannot hear, by name, as soon as it is discovered.

    Give `callbacks` to create_subscription() as its event_callbacks. Another publisher that is heard changes nothing.

    :param topic: full name
    """

    def __init__(self, node: Node, topic: str, wanted_qos: QoSProfile) -> None:
        self._node, self._topic, self._wanted_qos = node, topic, wanted_qos
        self._told: set[str] = set()
        self._timer: Optional[Timer] = None
        self._attempts = 0
        self.callbacks = SubscriptionEventCallbacks(incompatible_qos=self._on_event)

    def _on_event(self, event: Any) -> None:
        self._attempts = 0
        if self._timer is None:
            # Not the node's: simulated time may stand still.
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            self._timer = self._node.create_timer(NAME_PERIOD_S, self._tell, clock=steady)

    def _tell(self) -> None:
        self._attempts += 1
        found = mismatches(self._node, self._topic, self._wanted_qos)
        named = {name: reason for name, reason in found.items() if UNKNOWN_NAME not in name}
        for name in sorted(named.keys() - self._told):
            self._told.add(name)
            self._node.get_logger().warning(
                f'no image of {name} arrives: it publishes {self._topic} with a QoS that does not fit ({named[name]}). '
                f'Change its QoS, or start this node with qos_overrides.{self._topic}.subscription.* that fit')
        is_done = (found and len(named) == len(found)) or self._attempts >= NAME_ATTEMPTS
        if is_done and self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
