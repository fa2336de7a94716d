# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pack the data of a recipe for a machine that they must be carried to: `pack RECIPE --output DIR`.

    ros2 run fanet_ros pack fanet18_camvid --output packs       all files that the recipe reads, in volumes of at most 60 MB
    ros2 run fanet_ros pack fanet18_camvid --quality 75         the same in a third of the bytes, with some loss
    python -m fanet_ros pack --unpack packs/*.zip --into DIR      there; train in DIR then

Volumes are plain zip files. Paths are kept, so the recipe is trained by as it is. Without --quality the files in them are the bytes
that they were; with it pictures are coded again as WebP, under their names, and soft labels rounded to 16 levels. Labels never
change.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of


def main(argv: Optional[list[str]] = None) -> int:
    """Pack or unpack; returns the exit code."""
    parser = argparse.ArgumentParser(prog='pack', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', nargs='?', help='YAML file, or the name of one in config/training')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    parser.add_argument('--output', type=Path, default=Path('packs'), help='folder of the volumes (default: packs)')
    parser.add_argument('--max-mb', type=float, default=60.0, help='size of a volume at most (default: 60)')
    parser.add_argument('--quality', type=int, help='of WebP, 1 to 100, for pictures that get smaller by it')
    parser.add_argument('--unpack', nargs='+', type=Path, metavar='PACK', help='unpack these instead')
    parser.add_argument('--into', type=Path, default=Path('.'), help='where to (default: here)')
    arguments = parser.parse_args(argv)
    if (arguments.recipe is None) == (arguments.unpack is None):
        parser.error('expected a recipe to pack, or --unpack')
    if arguments.quality is not None and not 1 <= arguments.quality <= 100:
        parser.error(f'--quality is {arguments.quality}: expected 1 to 100')
    from fanet_ros.tools.pack.run import run  # now: torch takes seconds, which --help need not wait for
    return exit_code_of('pack', lambda: run(arguments))
