# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command line that starts a node of this package as a subprocess."""
from __future__ import annotations

import json
import sys
from typing import Mapping, Sequence


def node_command(name: str, parameters: Mapping[str, object], ros_arguments: Sequence[str] = ()) -> list[str]:
    """Command line of the program `name` in commands.COMMANDS, run by this Python interpreter however the package is installed.

    :param parameters: values by name; scalars and lists of them
    :param ros_arguments: further ROS arguments, such as '--log-level', 'error'
    """
    # JSON is also valid YAML and keeps a string such as "0" a string; but ROS refuses its escapes of letters beyond 16 bits.
    given = [part for key, value in parameters.items() for part in ('-p', f'{key}:={json.dumps(value, ensure_ascii=False)}')]
    return [sys.executable, '-m', 'fanet_ros', name, '--ros-args', *ros_arguments, *given]
