# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder node; all are fixed at start-up."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Sequence

from fanet_ros.ros.bag.recorder_topics import DEFAULT_TOPICS, TopicRequest
from fanet_ros.ros.common.parameters import Settings, fixed_parameter


def _new_bag(text: str) -> Path:
    return Path(text or datetime.now().strftime('rosbag2_%Y_%m_%d-%H_%M_%S')).expanduser()


def _requests(topics: Sequence[str]) -> tuple[TopicRequest, ...]:
    if not any(topics):
        raise ValueError('parameter topics is empty: expected topics to record; omit it for the default topics')
    return tuple(TopicRequest.parse(text) for text in topics)


@dataclass(frozen=True)
class RecorderSettings(Settings):
    """Parameter values of recorder_node.

    :raises ValueError: a malformed topic
    """

    output: Path = fixed_parameter(
        '', 'Directory of the new bag, which must not exist; empty: rosbag2_ and the date', convert=_new_bag)
    topics: tuple[TopicRequest, ...] = fixed_parameter(
        list(DEFAULT_TOPICS),
        'Topics to record, each NAME or NAME:PACKAGE/msg/TYPE; with a type the recorder subscribes at once, '
        'without it as soon as the topic is published; a trailing ? makes the topic optional', none=[''], convert=_requests)
    missing_warning_s: float = fixed_parameter(
        5.0, 'Warn in the log about topics without messages this long after the start; 0: never', unit='s',
        minimum=0.0, maximum=3600.0)
    max_bag_duration_s: float = fixed_parameter(
        0.0, 'Maximum duration of each file of the bag; each file starts with the latched messages; 0: one file', unit='s',
        minimum=0.0, maximum=86400.0)
    max_bag_size_mb: int = fixed_parameter(
        0, 'Maximum size of each file of the bag; each file starts with the latched messages; 0: one file', unit='MB',
        minimum=0, maximum=1000000)
