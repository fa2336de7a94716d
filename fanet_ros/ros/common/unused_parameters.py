# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects parameters that were given but are not used: misspelt names, and file sections for nodes of another name.

ROS silently ignores both.
"""
from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any, Collection, Iterator, Sequence

import yaml
from rclpy.node import Node

from fanet_ros.ros.common.ros_arguments import parameter_arguments


class _UntaggedLoader(yaml.SafeLoader):
    """Ignores YAML tags, as ROS does: launch writes tuples as `!!python/tuple`."""


def _untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_UntaggedLoader.add_multi_constructor('', _untagged)


@dataclass(frozen=True)
class Section:
    """Section of a parameter file: parameter `names` for the nodes that match `pattern`, such as '/front/segmentation' or '/**'."""

    pattern: str
    names: tuple[str, ...]

    def holds_for(self, node_name: str) -> bool:
        """Whether the pattern matches, by the rules of ROS: * is one part of a name, ** any number; no namespace means global."""
        parts = [r'(/\w+)*' if part == '**' else '/' + re.escape(part).replace(r'\*', r'\w+')
                 for part in self.pattern.strip('/').split('/')]
        return re.fullmatch(''.join(parts), node_name) is not None


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
        elif (rule := re.match('([^:=]+):([^:=]+):=', argv[index])) and not Section(rule[1], ()).holds_for(own_name):
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
            for section in others if 2 * len(set(section.names) & set(names)) > len(section.names)]


def sections_of(path: str) -> Iterator[Section]:
    """Sections of a parameter file; none if it cannot be read, which ROS has already refused."""
    try:
        with open(path, encoding='utf-8') as file:
            content = yaml.load(file, _UntaggedLoader)
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
    """Error message for an unknown parameter, with the closest match among `names`."""
    near = difflib.get_close_matches(name.replace('.', '_'), names, 1)
    return f'{name} is not a parameter of this node' + (f': did you mean {near[0]}?' if near else '')
