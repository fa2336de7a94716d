# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a node of this package is started in a process of its own."""
from __future__ import annotations

import json
import sys
from typing import Mapping, Sequence


def node_command(name: str, parameters: Mapping[str, object], ros_arguments: Sequence[str] = ()) -> list[str]:
    """The command line of the program `name` of commands.COMMANDS, by this very Python, however the package was installed.

    :param parameters: by name; plain values and lists of them
    :param ros_arguments: further ones, such as '--log-level', 'error'
    """
    # JSON is YAML in which a string such as "0" stays a string.
    given = [part for key, value in parameters.items() for part in ('-p', f'{key}:={json.dumps(value)}')]
    return [sys.executable, '-m', 'fanet_ros', name, '--ros-args', *ros_arguments, *given]
