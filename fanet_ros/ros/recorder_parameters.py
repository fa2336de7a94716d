"""The recorder's parameters: one table, all fixed at start-up."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node

from fanet_ros.ros.recorder_topics import DEFAULT_TOPICS, TopicRequest

OUTPUT = ParameterDescriptor(
    name='output', read_only=True,
    description='Directory of the new bag; it must not exist yet. Empty: rosbag2_ and the date, as ros2 bag '
                'names it.')
TOPICS = ParameterDescriptor(
    name='topics', read_only=True,
    description='Topics to record, each NAME or NAME:PACKAGE/msg/TYPE. With its type a topic is subscribed '
                'at once, without it as soon as it is published.')
STATUS_PERIOD = ParameterDescriptor(
    name='status_period_s', read_only=True,
    floating_point_range=[FloatingPointRange(from_value=0.0, to_value=3600.0)],
    description='Every so many seconds one JSON line on stdout: publishers, subscribers and recorded '
                'messages by topic. 0: never.')


@dataclass(frozen=True)
class RecorderSettings:
    """What the parameters say, checked."""

    output: Path
    topics: tuple[TopicRequest, ...]
    status_period_s: float


def declare_settings(node: Node) -> RecorderSettings:
    """Declare and read all parameters. Raises ValueError with one line for a malformed topic."""
    output = node.declare_parameter(OUTPUT.name, '', OUTPUT).value
    topics = node.declare_parameter(TOPICS.name, list(DEFAULT_TOPICS), TOPICS).value
    period_s = node.declare_parameter(STATUS_PERIOD.name, 0.0, STATUS_PERIOD).value
    return RecorderSettings(
        output=Path(output or datetime.now().strftime('rosbag2_%Y_%m_%d-%H_%M_%S')),
        topics=tuple(TopicRequest.parse(text) for text in topics),
        status_period_s=period_s)
