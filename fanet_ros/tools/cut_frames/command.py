# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut selected frames out of an archive of bags, as small bags or as a folder of images and masks to train on.

    ros2 run fanet_ros cut_frames pick.csv --archive /masks --output picked
    ros2 run fanet_ros cut_frames pick.csv --archive /masks --output picked --as folder

SELECTION is a CSV or Parquet file with the columns bag, topic and stamp_ns of frames.parquet, as written by DuckDB
(COPY (SELECT ...) TO 'pick.csv') or pandas. DIR is the archive, or the output of segment_bags, then masks come along.

--as bag: a bag per source bag, with the same path below OUT, its messages around the frames, and the latest messages of latched
topics (tf_static, class map) before them. --as folder: OUT/images/NAME.png, OUT/labels/NAME.png and OUT/class_map.yaml, the layout
that train reads; images without a mask go to OUT/unlabelled/, but to OUT/images/ if there are no masks at all.
OUT/frames.csv lists the frames. OUT exists only once it is complete.

Exit code: 0, all frames are cut; 1, some are missing; 2, nothing could be cut; 130, interrupted.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.bags.remote_path import any_path
from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.number_arguments import not_negative_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Cut the frames; returns the exit code, see the module docstring."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.kind == 'folder' and (arguments.topics or arguments.before is not None or arguments.after is not None):
        parser.error('--before, --after and --topics are for --as bag: a folder has the selected images alone')

    def work() -> int:
        from fanet_ros.tools.cut_frames.run import cut_frames
        return cut_frames(arguments)

    def remedy(error: OSError) -> str:
        return 'free some space, or check names and permissions, and run the same command again'
    with sigterm_interrupts():
        return exit_code_of('cut_frames', work, remedy=remedy, stopped='stopped; nothing was kept', failure=2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='cut_frames', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('selection', type=Path, metavar='SELECTION', help='.csv or .parquet with the columns bag, topic, stamp_ns')
    parser.add_argument('--archive', type=any_path, required=True, metavar='DIR', help='folder that the column bag is relative to')
    parser.add_argument('--output', type=Path, required=True, metavar='OUT', help='new folder')
    parser.add_argument('--as', dest='kind', choices=('bag', 'folder'), default='bag', help='kind of output (default: bag)')
    parser.add_argument('--before', type=not_negative_argument, metavar='S', help='seconds to keep before each frame (default: 1)')
    parser.add_argument('--after', type=not_negative_argument, metavar='S', help='seconds to keep after each frame (default: 1)')
    parser.add_argument('--topics', nargs='+', default=[], metavar='TOPIC',
                        help='topics to keep besides latched ones (default: all)')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser
