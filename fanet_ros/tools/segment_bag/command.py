# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment the camera images of a rosbag2, offline and without ROS, and write a copy of the bag with masks.

    ros2 run fanet_ros segment_bag drive_1 drive_1_masks

Everything else in the input is kept, except the topics of a segmentation node, so that OUT contains only the new masks.
After an interruption the same command resumes where it stopped. OUT exists only once it is complete; until then the work is in
OUT.partial.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.no_space import lacks_space
from fanet_ros.size_text import METAVAR, size_argument
from fanet_ros.tools.network_arguments import add_network_arguments


def main(argv: Optional[list[str]] = None) -> int:
    """Write the bag; returns the exit code: 0, 1 with one line on stderr, or 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    from fanet_ros.tools.segment_bag.run import segment_bag
    partial = arguments.output.parent / f'{arguments.output.name}.partial'

    def remedy(error: OSError) -> str:
        if lacks_space(error):
            return f'free some space and run the same command again; finished masks stay in {partial}'
        return 'choose another OUT, or check its permissions'
    with sigterm_interrupts():
        return exit_code_of('segment_bag', lambda: print(segment_bag(arguments, partial)), remedy=remedy,
                            stopped=f'stopped; run the same command again to resume from {partial}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='segment_bag', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', type=Path, metavar='IN', help='a rosbag2: mcap or sqlite3, split or not')
    parser.add_argument('output', type=Path, metavar='OUT', help='folder of the new bag, which must not exist')
    parser.add_argument('--topics', nargs='+', default=[], metavar='[NAME=]TOPIC',
                        help='camera topics, Image or CompressedImage (default: detected automatically); with several cameras, '
                        'NAME gives /segmentation/NAME/mask')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path (default: %(default)s)')
    parser.add_argument('--class-map', default='', help="YAML file with class names and colours to use instead of the checkpoint's")
    add_network_arguments(parser)
    parser.add_argument('--calibration-images', default='', help='folder of frames that int8 is calibrated on')
    parser.add_argument('--resolution', type=size_argument, default=(0, 0), metavar=METAVAR,
                        help="network resolution [px] (default: the checkpoint's own)")
    parser.add_argument('--storage', choices=('input', 'mcap', 'sqlite3'), default='input', help='format of OUT (default: as IN)')
    parser.add_argument('--masks', choices=('raw', 'png'), default='raw',
                        help='png: the same labels in a fraction of the space, as MASK_TOPIC/compressed (default: raw)')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser
