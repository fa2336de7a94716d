# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the player node; all are fixed at start-up."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fanet_ros.ros.common.parameters import Settings, fixed_parameter


def _bag_folder(text: str) -> Path:
    if not text:
        raise ValueError('parameter bag is empty: expected the directory of a bag')
    return Path(text).expanduser()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(',') if name.strip())


@dataclass(frozen=True)
class PlayerSettings(Settings):
    """Parameter values of player_node.

    :raises ValueError: no bag is given
    """

    bag: Path = fixed_parameter('', 'Directory of the bag to play', convert=_bag_folder)
    rate: float = fixed_parameter(1.0, 'Playback speed relative to the recording', minimum=0.01, maximum=100.0)
    topics: tuple[str, ...] = fixed_parameter(
        '', 'Topics to play, comma-separated; empty: all', convert=_names)
    clock: bool = fixed_parameter(True, 'Publish the bag time on /clock, for nodes with use_sim_time')
    loop: bool = fixed_parameter(False, 'Restart at the end, until the node is stopped')
    masks: tuple[str, ...] = fixed_parameter(
        '', 'Mask topics of the segmentation node that processes the played images, comma-separated: the player waits until '
        'something subscribes to the images, and counts the masks; empty: play at once', convert=_names)
    start_delay_s: float = fixed_parameter(
        1.0, 'Time for subscribers to discover the topics before the first message', unit='s', minimum=0.0, maximum=60.0)
