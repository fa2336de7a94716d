# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pack the data of a recipe for transfer to another machine: `pack RECIPE --output DIR`.

    ros2 run fanet_ros pack fanet18_camvid --output packs       all files the recipe reads, in volumes of at most 50 MB
    ros2 run fanet_ros pack fanet18_camvid --quality 75         the same in a third of the bytes, with some loss
    python -m fanet_ros pack --unpack packs/*.zip --into DIR      on the other machine; then train in DIR

Volumes are plain zip files. Paths are kept, so the recipe works unchanged. Without --quality files are stored byte for byte; with
it images are re-encoded as WebP, under their own names, and soft labels rounded to 16 levels. Labels never change.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.number_arguments import positive_argument

MAX_MB = 50.0       # so that a volume and the package without its checkpoints make at most 64 MiB, see CONTRIBUTING


def main(argv: Optional[list[str]] = None) -> int:
    """Pack or unpack; returns the exit code."""
    parser = argparse.ArgumentParser(prog='pack', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', nargs='?', help='YAML file, or the name of one in config/training')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    parser.add_argument('--output', type=Path, default=Path('packs'), help='folder for the volumes (default: packs)')
    parser.add_argument('--max-mb', type=positive_argument, default=MAX_MB,
                        help=f'maximum size of a volume (default: {MAX_MB:.0f})')
    parser.add_argument('--quality', type=int, help='WebP quality, 1 to 100, for images that become smaller')
    parser.add_argument('--unpack', nargs='+', type=Path, metavar='PACK', help='unpack these instead')
    parser.add_argument('--into', type=Path, default=Path('.'), help='target folder of --unpack (default: here)')
    arguments = parser.parse_args(argv)
    if (arguments.recipe is None) == (arguments.unpack is None):
        parser.error('expected a recipe to pack, or --unpack')
    if arguments.quality is not None and not 1 <= arguments.quality <= 100:
        parser.error(f'--quality is {arguments.quality}: expected 1 to 100')
    from fanet_ros.tools.pack.run import run  # here: importing torch takes seconds, not needed for --help
    return exit_code_of('pack', lambda: run(arguments))
