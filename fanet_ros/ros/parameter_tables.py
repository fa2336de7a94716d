# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of every node, as docs/parameters.md shows them: `python -m fanet_ros.ros.parameter_tables`."""
from __future__ import annotations

from typing import Sequence

from fanet_ros.ros.bag.player_parameters import PLAYER_PARAMETERS
from fanet_ros.ros.bag.recorder_parameters import RECORDER_PARAMETERS
from fanet_ros.ros.camera.parameters import CAMERA_PARAMETERS
from fanet_ros.ros.common.parameters import ParameterSpec
from fanet_ros.ros.dashboard.parameters import DASHBOARD_PARAMETERS
from fanet_ros.ros.segmentation.parameters import SEGMENTATION_PARAMETERS

TABLES: dict[str, tuple[ParameterSpec, ...]] = {
    'segmentation_node': SEGMENTATION_PARAMETERS, 'camera_node': CAMERA_PARAMETERS, 'recorder_node': RECORDER_PARAMETERS,
    'player_node': PLAYER_PARAMETERS, 'dashboard': DASHBOARD_PARAMETERS}
MAX_DEFAULT_CHARACTERS = 40


def markdown_table(specs: Sequence[ParameterSpec]) -> str:
    """One row for each parameter: name, default, whether it may change at run time, meaning."""
    rows = ['| parameter | default | while running | meaning |', '|---|---|---|---|']
    for spec in specs:
        details = ', '.join(text for text in (spec.unit, spec.constraint) if text)
        meaning = spec.description + (f' ({details})' if details else '')
        rows.append(f'| `{spec.name}` | {_default(spec)} | {"fixed" if spec.read_only else "yes"} | {meaning} |')
    return '\n'.join(rows)


def _default(spec: ParameterSpec) -> str:
    text = f"'{spec.default}'" if isinstance(spec.default, str) else str(spec.default)
    return f'`{text}`' if len(text) <= MAX_DEFAULT_CHARACTERS else 'see its file'


if __name__ == '__main__':
    for executable, specs in TABLES.items():
        print(f'{executable}\n\n{markdown_table(specs)}\n')
