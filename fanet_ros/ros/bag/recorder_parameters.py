# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the recorder, in one table; all are fixed at start-up."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rclpy.node import Node

from fanet_ros.ros.bag.recorder_topics import DEFAULT_TOPICS, TopicRequest
from fanet_ros.ros.common.parameters import ParameterSpec, declare

RECORDER_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec(
        'output', '', 'Directory of the new bag, which must not exist yet; empty: rosbag2_ and the date',
        read_only=True),
    ParameterSpec(
        'topics', list(DEFAULT_TOPICS),
        'Topics to record, each NAME or NAME:PACKAGE/msg/TYPE; with its type a topic is subscribed at once, '
        'without it as soon as it is published; with a ? at its end nothing need come of it',
        read_only=True, none=['']),
    ParameterSpec(
        'missing_warning_s', 5.0, 'The log warns of topics of which nothing came for this long after the start; 0: never',
        unit='s', minimum=0.0, maximum=3600.0, read_only=True),
    ParameterSpec(
        'max_bag_duration_s', 0.0, 'Length of each file of the bag, each of which begins with what latched topics '
        'hold; 0: one file', unit='s', minimum=0.0, maximum=86400.0, read_only=True),
    ParameterSpec(
        'max_bag_size_mb', 0, 'Size of each file of the bag, likewise; 0: one file', unit='MB', minimum=0,
        maximum=1000000, read_only=True),
)


@dataclass(frozen=True)
class RecorderSettings:
    """What the parameters say, checked."""

    output: Path
    topics: tuple[TopicRequest, ...]
    missing_warning_s: float
    max_bag_duration_s: float
    max_bag_size_mb: int


def declare_settings(node: Node) -> RecorderSettings:
    """Declare and read all parameters. Raises ValueError with one line for a malformed topic."""
    values = declare(node, RECORDER_PARAMETERS)
    topics = values.read('topics', list)
    if not any(topics):
        raise ValueError('parameter topics names none: expected those to record, or no such parameter for the default ones')
    return RecorderSettings(
        output=Path(values.read('output', str) or datetime.now().strftime('rosbag2_%Y_%m_%d-%H_%M_%S')),
        topics=tuple(TopicRequest.parse(text) for text in topics),
        missing_warning_s=values.read('missing_warning_s', float),
        max_bag_duration_s=values.read('max_bag_duration_s', float),
        max_bag_size_mb=values.read('max_bag_size_mb', int))
