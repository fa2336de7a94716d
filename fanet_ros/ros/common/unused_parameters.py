# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects parameters that were given but are not used: misspelt names, and file sections for nodes of another name.

ROS silently ignores both.
"""
from __future__ import annotations

import difflib
import re
from typing import Collection, Sequence

from rclpy.node import Node

from fanet_ros.ros.common.parameter_file import Section, sections_of
from fanet_ros.ros.common.ros_arguments import parameter_arguments


def unused_parameters(node: Node, names: Collection[str], argv: Sequence[str]) -> list[str]:
    """A line for each parameter or section that was given and is not used, with a suggestion for a misspelt name.

    :param names: parameters that the node declares
    :param argv: arguments of the process
    """
    lines = [no_such_parameter(name, names)
             for name in node._parameter_overrides      # no public API for undeclared ones
             if name not in names and not node.has_parameter(name) and not name.startswith('qos_overrides.')]
    own_name = node.get_fully_qualified_name()
    for index, is_file in parameter_arguments(argv):
        if is_file:
            lines += _of_file(argv[index], own_name, names)
        elif (rule := re.match('([^:=]+):([^:=]+):=', argv[index])) and not Section(rule[1]).holds_for(own_name):
            lines.append(f'-p {argv[index]} is not used: this node is {own_name}')
    return lines


def _of_file(path: str, own_name: str, names: Collection[str]) -> list[str]:
    sections = list(sections_of(path))
    others = [section for section in sections if not section.holds_for(own_name)]
    own = [section for section in sections if section not in others]
    if not own:
        there = ', '.join(section.pattern for section in others) or 'no node'
        return [f'{path} is not used: it has parameters for {there}, and this node is {own_name}']
    if any('*' not in section.pattern for section in own):
        return []       # the other sections are for other nodes
    return [f'the parameters of {section.pattern} in {path} are not used: this node is {own_name}'
            for section in others if 2 * len(section.parameters.keys() & set(names)) > len(section.parameters)]


def no_such_parameter(name: str, names: Collection[str]) -> str:
    """Error message for an unknown parameter, with the closest match among `names`."""
    near = difflib.get_close_matches(name.replace('.', '_'), names, 1)
    return f'{name} is not a parameter of this node' + (f': did you mean {near[0]}?' if near else '')
