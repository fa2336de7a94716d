# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was given for a node and is used by none: names with a typing error, sections of a file for a node of another name.

ROS says nothing of either.
"""
from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any, Collection, Iterator, Sequence

import yaml
from rclpy.node import Node

from fanet_ros.ros.common.ros_arguments import parameter_arguments


@dataclass(frozen=True)
class Section:
    """Parameters for the nodes that `pattern` stands for, as in '/front/segmentation' or '/**'."""

    pattern: str
    names: tuple[str, ...]

    def holds_for(self, node_name: str) -> bool:
        """As ROS has it: * stands for one part of a name, ** for any number of them; a name without a namespace is global."""
        parts = [r'(/\w+)*' if part == '**' else '/' + re.escape(part).replace(r'\*', r'\w+')
                 for part in self.pattern.strip('/').split('/')]
        return re.fullmatch(''.join(parts), node_name) is not None


def unused_parameters(node: Node, names: Collection[str], argv: Sequence[str]) -> list[str]:
    """A line for everything that is given and not used, with the nearest name that there is.

    :param names: parameters that the node declares, or will
    :param argv: arguments of the process, where parameter files are named
    """
    lines = [no_such_parameter(name, names)
             for name in node._parameter_overrides      # nothing public tells those that are not declared
             if name not in names and not node.has_parameter(name) and not name.startswith('qos_overrides.')]
    own_name = node.get_fully_qualified_name()
    for index, is_file in parameter_arguments(argv):
        if is_file:
            lines += _of_file(argv[index], own_name, names)
        elif (rule := re.match('([^:=]+):([^:=]+):=', argv[index])) and not Section(rule[1], ()).holds_for(own_name):
            lines.append(f'-p {argv[index]} is not used: this node is {own_name}')
    return lines


def _of_file(path: str, own_name: str, names: Collection[str]) -> list[str]:
    sections = list(sections_of(path))
    others = [section for section in sections if not section.holds_for(own_name)]
    own = [section for section in sections if section not in others]
    if not own:
        there = ', '.join(section.pattern for section in others) or 'nothing at all'
        return [f'{path} is not used: it holds parameters of {there}, and this node is {own_name}']
    if any('*' not in section.pattern for section in own):
        return []       # others are for other nodes
    return [f'the parameters of {section.pattern} in {path} are not used: this node is {own_name}'
            for section in others if 2 * len(set(section.names) & set(names)) > len(section.names)]


def sections_of(path: str) -> Iterator[Section]:
    """Of a parameter file, none of one that cannot be read: ROS has refused that."""
    try:
        with open(path, encoding='utf-8') as file:
            content = yaml.safe_load(file)
    except (OSError, ValueError, yaml.YAMLError):
        return
    yield from _sections(content, '')


def _sections(content: Any, prefix: str) -> Iterator[Section]:
    if not isinstance(content, dict):
        return
    for key, value in content.items():
        if isinstance(value, dict) and 'ros__parameters' in value:
            yield Section(f'{prefix}{key}', tuple(_names(value['ros__parameters'], '')))
        else:
            yield from _sections(value, f'{prefix}{key}/')


def _names(content: Any, prefix: str) -> Iterator[str]:
    for key, value in content.items() if isinstance(content, dict) else ():
        if isinstance(value, dict):
            yield from _names(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}'


def no_such_parameter(name: str, names: Collection[str]) -> str:
    """In a line, with the nearest of the `names` that there are."""
    near = difflib.get_close_matches(name.replace('.', '_'), names, 1)
    return f'{name} is no parameter of this node' + (f': is {near[0]} meant?' if near else '')
