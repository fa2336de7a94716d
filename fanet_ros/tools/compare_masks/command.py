# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the masks of two checkpoints for the same recordings, without ground truth: where they differ, and in which classes.

    ros2 run fanet_ros compare_masks masks_a masks_b --output comparison

A and B are two outputs of segment_bags, or two bags with masks. Masks are paired by bag, camera topic and stamp, classes by name.
DIR/comparison.json: agreement, IoU of each class and confusions, of each bag and of all. DIR/frames.parquet (.csv without pyarrow):
one row per frame. DIR/differences.jpg: the frames that differ most.

Exit code: 0, all bags were compared; 1, some could not be; 2, nothing could be compared; 130, interrupted.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.bags.remote_path import any_path
from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.number_arguments import count_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Compare the masks; returns the exit code, see the module docstring."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        from fanet_ros.tools.compare_masks.run import compare_masks
        return compare_masks(arguments)
    with sigterm_interrupts():
        return exit_code_of('compare_masks', work, failure=2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='compare_masks', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('a', type=any_path, metavar='A', help='an output of segment_bags, or a bag with masks')
    parser.add_argument('b', type=any_path, metavar='B', help='the same of another checkpoint')
    parser.add_argument('--output', type=Path, metavar='DIR',
                        help='folder for the results; an earlier comparison in it is replaced (default: only print a summary)')
    parser.add_argument('--every', type=count_argument, default=1, metavar='N',
                        help='compare every Nth frame of each camera (default: 1)')
    parser.add_argument('--frames', type=count_argument, default=12, metavar='N',
                        help='number of frames to list and draw, at most one per ten seconds and camera (default: 12)')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser
