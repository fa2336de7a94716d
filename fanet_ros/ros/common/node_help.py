# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an executable that is a node answers to --help: its purpose and its parameters."""
from __future__ import annotations

import sys
import textwrap
from typing import Optional, Sequence

from fanet_ros.commands import purpose
from fanet_ros.ros.common.parameter_spec import ParameterSpec

WIDTH = 100


def answer_help(name: str, specs: Sequence[ParameterSpec], argv: Optional[Sequence[str]] = None) -> None:
    """Print the help of the node `name` and end the process, as argparse does, if -h or --help is asked for.

    :param specs: its parameters
    :param argv: without the program's name; None: those of the process
    :raises SystemExit: it was
    """
    arguments = sys.argv[1:] if argv is None else argv
    if not {'-h', '--help'}.isdisjoint(arguments):
        print(help_text(name, specs))
        raise SystemExit(0)


def help_text(name: str, specs: Sequence[ParameterSpec]) -> str:
    """Purpose, usage, and each parameter with default, range and meaning."""
    lines = [f'usage: ros2 run fanet_ros {name} [--ros-args -p PARAMETER:=VALUE ... -r FROM:=TO ... --params-file FILE]', '',
             purpose(name), '', 'parameters (those marked * change while it runs):']
    for spec in specs:
        default = f'default {spec.default!r}' if len(str(spec.default)) < WIDTH // 2 else ''
        lines.append(f'  {spec.name}{"" if spec.read_only else " *"}')
        lines += textwrap.wrap('; '.join(filter(None, [spec.description, spec.details, default])), WIDTH,
                               initial_indent=' ' * 6, subsequent_indent=' ' * 6)
    return '\n'.join(lines)
