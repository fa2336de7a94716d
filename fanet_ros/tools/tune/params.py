# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write parameter files of the segmentation node."""
from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Iterator, Optional

import yaml

from fanet_ros.error_text import error_text
from fanet_ros.package_share import share_directory

NODE_NAMES = ('**', '*', 'segmentation')
PARAMETERS = 'ros__parameters'
LINE = re.compile(r'    (\w+): .*?(\s+# .*)?$')
COMMENT_COLUMN = 34


def read_parameters(path: Optional[Path]) -> dict[str, Any]:
    """All parameters of the node: the shipped values, overridden by those in the file.

    :raises ValueError: unreadable, or not a parameter file of the segmentation node
    """
    values = dict(_parameters(yaml.safe_load(_shipped()), _shipped_path()))
    if path is None:
        return values
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ValueError(f'--params-file {path} cannot be read ({error.strerror}): expected a parameter file') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f'--params-file {path} is not YAML: {error_text(error)}') from None
    values.update(_parameters(content, path))
    return values


def parameter_file(values: dict[str, Any], comment: str) -> str:
    """A complete file for any node name, with the shipped explanations; `comment`: lines at the top."""
    lines = [f'# {line}'.rstrip() for line in comment.splitlines()] + ['/**:', f'  {PARAMETERS}:']
    rest, shipped = dict(values), _shipped().splitlines()
    for line in shipped[shipped.index(f'  {PARAMETERS}:') + 1:]:
        match = LINE.match(line)
        if match is None:
            lines.append(line)
            continue
        text = f'    {match[1]}: {_scalar(rest.pop(match[1]))}'
        explanation = (match[2] or '').strip()
        lines.append(f'{text:{COMMENT_COLUMN}}{explanation}'.rstrip() if len(text) < COMMENT_COLUMN - 1
                     else f'{text}    {explanation}'.rstrip())
    if rest:        # given parameters that the shipped file lacks, such as qos_overrides
        lines += [f'    {line}' for line in yaml.safe_dump(rest, sort_keys=False).splitlines()]
    return '\n'.join(lines) + '\n'


def _parameters(content: Any, path: Path) -> dict[str, Any]:
    nodes = list(_nodes(content, ''))
    chosen = [values for name, values in nodes if name.rpartition('/')[2] in NODE_NAMES]
    if not chosen and len(nodes) == 1:
        chosen = [nodes[0][1]]
    if not chosen:
        found = ', '.join(name for name, _ in nodes) or f'no {PARAMETERS}'
        raise ValueError(f"{path} is not a parameter file of the segmentation node: expected '/**' or 'segmentation' with "
                         f'{PARAMETERS} in it, found {found}')
    merged: dict[str, Any] = {}
    for values in chosen:
        merged.update(values)
    return merged


def _nodes(content: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of all nodes, nested namespaces included, with their parameters."""
    for key, value in content.items() if isinstance(content, dict) else ():
        if key == PARAMETERS and isinstance(value, dict):
            yield name, value
        elif key != PARAMETERS:
            yield from _nodes(value, f'{name}/{str(key).strip("/")}')


def _scalar(value: Any) -> str:
    """`value` as YAML on one line; floats stay floats."""
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf).splitlines()[0]


def _shipped_path() -> Path:
    return share_directory() / 'config' / 'segmentation.param.yaml'


def _shipped() -> str:
    return _shipped_path().read_text(encoding='utf-8')
