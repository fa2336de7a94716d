# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train on a borrowed GPU for a given number of minutes, with small result files: `gpu_train RECIPE --minutes 8 --output DIR`.

    make gpu-train RECIPE=fanet18_camvid MINUTES=8 DATA=/tmp/data OUT=gpu_training

Needs no ROS and no installation. The recipe's data are below DATA, where `pack --unpack` put them. Its iterations are ignored:
the schedule follows the clock, and the averaged weights are ready when the time is up. DIR then contains

    checkpoint.safetensors      8 bits per weight; in parts .00, .01, ... if larger than 15 MiB: join them with cat
    training.json               recipe, device, images per second, losses, validation

and run/, from which the same command resumes; minutes are counted over all calls.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of


def main(argv: Optional[list[str]] = None) -> int:
    """Train, compress, write; returns the exit code of the training."""
    arguments = _parser().parse_args(argv)
    from fanet_ros.tools.gpu_train.run import run  # here: importing torch takes seconds, not needed for --help
    return exit_code_of('gpu_train', lambda: run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='gpu_train', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--minutes', type=float, default=8.0, help='training time, without reading the data (default: 8)')
    parser.add_argument('--data', type=Path, default=Path('.'), help='folder for the relative paths of the recipe (default: .)')
    parser.add_argument('--output', type=Path, default=Path('gpu_training'), help='output folder (default: gpu_training)')
    parser.add_argument('--device', default='cuda', help="'cuda', or 'cpu' to rehearse")
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    return parser
