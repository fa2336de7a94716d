# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why no image arrives, as far as the ROS graph can tell."""
from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import QoSProfile

from fanet_ros.ros.qos_mismatch import full_name, mismatches


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
