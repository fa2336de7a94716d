# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sections of a parameter file, and which nodes they are for."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

import yaml


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
    """Section of a parameter file: its parameters, for the nodes that match `pattern`, such as '/front/segmentation' or '/**'."""

    pattern: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def holds_for(self, node_name: str) -> bool:
        """Whether the pattern matches, by the rules of ROS: * is one part of a name, ** any number; no namespace means global."""
        parts = [r'(/\w+)*' if part == '**' else '/' + re.escape(part).replace(r'\*', r'\w+')
                 for part in self.pattern.strip('/').split('/')]
        return re.fullmatch(''.join(parts), node_name) is not None


def parameters_for(path: str, node_name: str) -> dict[str, Any]:
    """What a parameter file sets for a node, by its full name: as in ROS, of several sections the last one decides."""
    return {name: value for section in sections_of(path) if section.holds_for(node_name)
            for name, value in section.parameters.items()}


def sections_of(path: str) -> Iterator[Section]:
    """Sections of a parameter file; none if it cannot be read, which ROS itself refuses."""
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
            yield Section(f'{prefix}{key}', dict(_parameters(value['ros__parameters'], '')))
        else:
            yield from _sections(value, f'{prefix}{key}/')


def _parameters(content: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items() if isinstance(content, dict) else ():
        if isinstance(value, dict):
            yield from _parameters(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value
