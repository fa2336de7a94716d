"""Why no image arrives, as far as the ROS graph can tell."""
from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.subscription import Subscription


def why_silent(node: Node, subscription: Subscription, wanted_type: str, wanted_qos: QoSProfile) -> str:
    """The likeliest reason why `subscription` hears nothing, in half a sentence that names the topic.

    :param wanted_type: type of the subscription, such as 'sensor_msgs/msg/Image'
    :param wanted_qos: what the subscription was made with; overrides of it are looked up
    """
    topic = subscription.topic_name
    publishers = node.get_publishers_info_by_topic(topic)
    if not publishers:
        return f'nobody publishes {topic}'
    other_types = sorted({info.topic_type for info in publishers} - {wanted_type})
    publishers = [info for info in publishers if info.topic_type == wanted_type]
    if not publishers:
        return (f'{topic} carries {", ".join(other_types)}, expected {wanted_type}: '
                'check the topic and image_transport')
    own = [info.qos_profile for info in node.get_subscriptions_info_by_topic(topic)
           if (info.node_name, info.node_namespace) == (node.get_name(), node.get_namespace())]
    for info in publishers:
        compatibility, reason = qos_check_compatible(info.qos_profile, own[0] if own else wanted_qos)
        if compatibility == QoSCompatibility.ERROR:
            return f'{info.node_name} publishes {topic} with incompatible QoS ({reason.strip(" ;")})'
    return f'{topic} has a publisher, {publishers[0].node_name}, but it is silent'
