# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train on a borrowed GPU for so many minutes, and leave what may be carried away: `gpu_train RECIPE --minutes 8 --output DIR`.

    make gpu-train RECIPE=fanet18_camvid MINUTES=8 DATA=/tmp/data OUT=gpu_training

Needs no ROS and no installation. The recipe's data lie below DATA, where `pack --unpack` put them; its iterations do not count,
the schedule follows the clock and the averaged weights are done when the minutes are. DIR then holds

    checkpoint.safetensors      8 bits to a weight; in parts .00, .01, ... where it is larger than 15 MiB: join them with cat
    training.json               recipe, device, images a second, losses, validation

and run/, from which the same command goes on: minutes count over all calls.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of


def main(argv: Optional[list[str]] = None) -> int:
    """Train, compress, write; returns the exit code of the training."""
    arguments = _parser().parse_args(argv)
    from fanet_ros.tools.gpu_train.run import run  # now: torch takes seconds, which --help need not wait for
    return exit_code_of('gpu_train', lambda: run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='gpu_train', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--minutes', type=float, default=8.0, help='of training, reading the data not counted (default: 8)')
    parser.add_argument('--data', type=Path, default=Path('.'), help='folder that the paths of the recipe lie in (default: here)')
    parser.add_argument('--output', type=Path, default=Path('gpu_training'), help='folder (default: gpu_training)')
    parser.add_argument('--device', default='cuda', help="'cuda', or 'cpu' to rehearse")
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    return parser
