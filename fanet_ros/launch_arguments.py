# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shared by the launch files: arguments of the segmentation node, and the rejection of undeclared arguments.

Needs neither ROS nor launch.
"""
from __future__ import annotations

import difflib
import math
import sys
from pathlib import Path
from typing import Collection, Container, Iterable, Sequence, Union

# Parameters that can also be launch arguments, described in the settings of the nodes. If not given, the parameter file
# decides.
NODE_PARAMETERS = ('autostart', 'checkpoint', 'variant', 'class_map', 'device', 'engine', 'precision', 'input_height',
                   'input_width', 'image_transport')
ROSBAG2 = ('ros2bag', 'rosbag2_transport')
CAMERA_PARAMETERS = ('source', 'rate_hz', 'width', 'height')
# Of segmentation.launch.py, and so of all launch files that include it.
SEGMENTATION_ARGUMENTS = ('namespace', 'params_file', 'image_topic', 'cameras', 'respawn', 'use_sim_time', 'log_level',
                          'dashboard', 'dashboard_address', *NODE_PARAMETERS)


def refuse_unknown(launch_file: str, given: Sequence[str], declared: Iterable[str]) -> None:
    """Reject arguments that `launch_file` does not declare; launch itself ignores a misspelt one.

    Only if this file is the one on the command line: a file that includes it has arguments of its own.

    :param given: the command line of launch, each NAME:=VALUE
    :raises ValueError: an argument is unknown; the message suggests the name that may have been meant
    """
    names = sorted(declared)
    for name in _names(launch_file, given):
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            raise ValueError(f'{Path(launch_file).name} has no argument {name!r}: '
                             + (f'did you mean {close[0]}? ' if close else '') + f'It has {", ".join(names)}'
                             + ('; set other parameters of the node in a params_file' if 'params_file' in names else ''))


def refuse_without_effect(launch_file: str, given: Sequence[str], names: Container[str], reason: str) -> None:
    """Reject arguments with one of `names`, like refuse_unknown().

    :param reason: why they have no effect, and what to do
    :raises ValueError: one of them was given
    """
    for name in _names(launch_file, given):
        if name in names:
            raise ValueError(f'{name} has no effect: {reason}')


def _names(launch_file: str, given: Sequence[str]) -> list[str]:
    is_launched = Path(launch_file).name in [Path(argument).name for argument in sys.argv]
    return [text.partition(':=')[0] for text in given] if is_launched else []


def in_namespace(topic: str, namespace: str) -> str:
    """Full name of a topic of a node in `namespace`; a name that starts with / is full already."""
    return topic if topic.startswith('/') else '/'.join(['', *filter(None, [namespace.strip('/')]), topic])


def beside(topic: str, name: str) -> str:
    """The topic `name` in the namespace of `topic`, which need not be a full name."""
    return f'{topic.rpartition("/")[0]}/{name}' if '/' in topic else name


def compressed(topic: str) -> str:
    """The topic of the compressed images of an image topic, which may be given with or without that suffix."""
    return f'{uncompressed(topic)}/compressed'


def uncompressed(topic: str) -> str:
    """An image topic without the suffix of the compressed images."""
    return topic.removesuffix('/compressed')


def require_rosbag2(argument: str, installed: Collection[str]) -> None:
    """Check that rosbag2 is installed.

    :param argument: the launch argument that asks for it
    :param installed: names of the installed ROS packages
    :raises ValueError: it is not
    """
    if not has_rosbag2(installed):
        raise ValueError(f'{argument} is rosbag2: expected the packages {", ".join(ROSBAG2)}, which are not installed; '
                         f'sudo apt install ros-$ROS_DISTRO-rosbag2, or leave {argument} out')


def has_rosbag2(installed: Collection[str]) -> bool:
    """Whether `ros2 bag` is among the installed ROS packages."""
    return set(ROSBAG2) <= set(installed)


def fail_as(process: str, exit_code: int, is_shutdown: bool) -> None:
    """Let the launch fail like its process: launch turns an exception of an event handler into exit code 1.

    :param is_shutdown: the launch is shutting down: the signal itself then ends a process that was still loading
    :raises RuntimeError: the process failed
    """
    if exit_code > 0 or (exit_code and not is_shutdown):
        raise RuntimeError(f'{process} ended with exit code {exit_code}')


def number(name: str, text: str, kind: type) -> Union[int, float]:
    """The value of a numeric launch argument.

    :param kind: int or float
    :raises ValueError: not a number; the message has the name, which launch itself would omit
    """
    try:
        if math.isfinite(value := kind(text)):
            return value
    except (ValueError, OverflowError):
        pass
    raise ValueError(f'{name} is {text!r}: expected {"a whole number" if kind is int else "a number"}')


def flag(name: str, text: str) -> bool:
    """The value of a launch argument that is true or false.

    :raises ValueError: it is neither; launch itself would not say so, and `yes` would count as false
    """
    if text.lower() not in ('true', 'false'):
        raise ValueError(f'{name} is {text!r}: expected true or false')
    return text.lower() == 'true'


def camera_topics(text: str, image_topic: str = '') -> dict[str, str]:
    """Image topic of each camera by name, from 'front=/front/image_raw,left': NAME=TOPIC, or NAME for the topic NAME/image.

    :param image_topic: the topic of a node with one camera, if given
    :raises ValueError: both are given, or a name is missing or repeated
    """
    pairs = [item.strip().partition('=') for item in text.split(',') if item.strip()]
    topics = {name.strip(): topic.strip() or f'{name.strip()}/image' for name, _, topic in pairs}
    if '' in topics or len(topics) < len(pairs):
        raise ValueError(f'cameras is {text!r}: expected different names, each NAME or NAME=TOPIC, separated by commas')
    if topics and image_topic:
        raise ValueError(f'image_topic is for one camera, cameras for several: give cameras:={pairs[0][0]}={image_topic},...')
    return topics
