# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The --help text of a node executable: its purpose and parameters."""
from __future__ import annotations

import textwrap
from typing import Sequence

from fanet_ros.ros.common.parameter_spec import ParameterSpec

WIDTH = 100


def help_text(name: str, purpose: str, specs: Sequence[ParameterSpec]) -> str:
    """Usage, purpose, and each parameter with meaning, unit, range and default."""
    lines = [f'usage: ros2 run fanet_ros {name} [--ros-args -p PARAMETER:=VALUE ... -r FROM:=TO ... --params-file FILE]', '',
             purpose, '', 'parameters (* can change while the node runs):']
    for spec in specs:
        lines.append(f'  {spec.name}{"" if spec.read_only else " *"}')
        lines += textwrap.wrap('; '.join(filter(None, [spec.description, spec.details, f'default {spec.default!r}'])), WIDTH,
                               initial_indent=' ' * 6, subsequent_indent=' ' * 6)
    return '\n'.join(lines)
