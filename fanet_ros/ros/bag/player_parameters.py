# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the player, in one table; all are fixed at start-up."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rclpy.node import Node

from fanet_ros.ros.common.parameters import ParameterSpec, declare

PLAYER_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec('bag', '', 'Directory of the bag to play', read_only=True),
    ParameterSpec('rate', 1.0, 'How many times as fast as it was recorded', minimum=0.01, maximum=100.0,
                  read_only=True),
    ParameterSpec('topics', '', 'Names of the topics to play, separated by commas; empty: all', read_only=True),
    ParameterSpec('clock', True, 'Publish the time of the bag on /clock, for nodes with use_sim_time', read_only=True),
    ParameterSpec('loop', False, 'Begin again at the end, until the node is stopped', read_only=True),
    ParameterSpec('masks', '', 'Topic of the masks that a segmentation node makes of what is played: the player waits until '
                  'somebody listens to the images, and counts the masks; empty: it plays at once', read_only=True),
    ParameterSpec('start_delay_s', 1.0, 'Time for subscribers to find the topics before the first message', unit='s',
                  minimum=0.0, maximum=60.0, read_only=True),
)


@dataclass(frozen=True)
class PlayerSettings:
    """What the parameters say, checked."""

    bag: Path
    rate: float
    topics: tuple[str, ...]
    clock: bool
    loop: bool
    masks: str
    start_delay_s: float


def declare_settings(node: Node) -> PlayerSettings:
    """Declare and read all parameters. Raises ValueError with one line when no bag is given."""
    values = declare(node, PLAYER_PARAMETERS)
    bag = values.read('bag', str)
    if not bag:
        raise ValueError('parameter bag is empty: expected the directory of a bag')
    return PlayerSettings(
        bag=Path(bag).expanduser(), rate=values.read('rate', float),
        topics=tuple(name.strip() for name in values.read('topics', str).split(',') if name.strip()),
        clock=values.read('clock', bool), loop=values.read('loop', bool), masks=values.read('masks', str),
        start_delay_s=values.read('start_delay_s', float))
