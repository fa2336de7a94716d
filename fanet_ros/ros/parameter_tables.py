# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Documentation of all node parameters: generates the tables of docs/parameters.md and the files in config/.

    python -m fanet_ros.ros.parameter_tables            # print both
    python -m fanet_ros.ros.parameter_tables --write    # update the files of this checkout
"""
from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Iterator, Optional, Sequence

import yaml

from fanet_ros.ros.bag.player_parameters import PlayerSettings
from fanet_ros.ros.bag.recorder_parameters import RecorderSettings
from fanet_ros.ros.camera.parameters import CameraSettings
from fanet_ros.ros.common.parameter_spec import ParameterSpec, Value
from fanet_ros.ros.common.parameters import Settings
from fanet_ros.ros.dashboard.parameters import DashboardSettings
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

SETTINGS: dict[str, type[Settings]] = {
    'segmentation_node': SegmentationSettings, 'camera_node': CameraSettings, 'recorder_node': RecorderSettings,
    'player_node': PlayerSettings, 'dashboard': DashboardSettings}
FILES = {'segmentation_node': 'config/segmentation.param.yaml', 'camera_node': 'config/camera.param.yaml'}
PAGE = 'docs/parameters.md'
CHECKOUT = Path(__file__).resolve().parents[2]      # resolved: an installation may be links into it
MAX_DEFAULT_CHARACTERS = 40
COMMENT_COLUMN, LINE_CHARACTERS = 34, 132


def markdown_table(specs: Sequence[ParameterSpec]) -> str:
    """One row for each parameter: name, default, whether it may change at run time, meaning."""
    rows = ['| parameter | default | while running | meaning |', '|---|---|---|---|']
    for spec in specs:
        rows.append(f'| `{spec.name}` | {_default(spec)} | {"fixed" if spec.read_only else "yes"} | {spec.meaning} |')
    return '\n'.join(rows)


def page(text: str) -> str:
    """`text` of docs/parameters.md with every table regenerated between its two marker comments.

    :raises ValueError: the markers of a table are missing
    """
    for executable, settings in SETTINGS.items():
        begin, end = f'<!-- table of {executable} -->\n\n', '\n\n<!-- end -->'
        before, found, rest = text.partition(begin)
        if not found or end not in rest:
            raise ValueError(f'{PAGE} has no {begin.strip()} with an {end.strip()}')
        text = before + begin + markdown_table(settings.specs()) + rest[rest.index(end):]
    return text


def parameter_file(executable: str, specs: Sequence[ParameterSpec]) -> str:
    """YAML parameter file for any node of this executable: every default, with its meaning as a comment."""
    lines = [f'# Parameters of {executable} with their defaults.']
    tells_fixed = not all(spec.read_only for spec in specs)
    if tells_fixed:
        lines.append('# "fixed" parameters are read at start-up; the others can change with `ros2 param set` while the node runs.')
    lines += ['/**:', '  ros__parameters:']
    for spec in specs:
        start = f'    {spec.name}: {yaml_value(spec.default)}  '
        lines += textwrap.wrap(
            spec.meaning + ('; fixed' if tells_fixed and spec.read_only else ''), LINE_CHARACTERS, break_long_words=False,
            break_on_hyphens=False, initial_indent=f'{start:{COMMENT_COLUMN}}# ', subsequent_indent=f'{"":{COMMENT_COLUMN}}# ')
    return '\n'.join(lines) + '\n'


def yaml_value(value: Value) -> str:
    """`value` as YAML on one line that parses back to the same type."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).splitlines()[0]


def generated_files(checkout: Path) -> Iterator[tuple[Path, str]]:
    """Path and up-to-date content of every generated file of a checkout."""
    for executable, name in FILES.items():
        yield checkout / name, parameter_file(executable, SETTINGS[executable].specs())
    yield checkout / PAGE, page((checkout / PAGE).read_text(encoding='utf-8'))


def _default(spec: ParameterSpec) -> str:
    text = f"'{spec.default}'" if isinstance(spec.default, str) else str(spec.default)
    return f'`{text}`' if len(text) <= MAX_DEFAULT_CHARACTERS else 'see `--help`'


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print or update the generated files; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--write', action='store_true', help=f'update {", ".join([PAGE, *FILES.values()])} in this checkout')
    is_written = parser.parse_args(argv).write
    for path, text in generated_files(CHECKOUT):
        if not is_written:
            print(f'--- {path.relative_to(CHECKOUT)}\n{text}')
        elif path.read_text(encoding='utf-8') != text:
            path.write_text(text, encoding='utf-8')
            print(f'wrote {path.relative_to(CHECKOUT)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
