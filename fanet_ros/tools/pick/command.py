# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the frames of a drive that are worth labelling, and write them with predicted masks for correction.

    ros2 run fanet_ros pick drive_1 --output to_label       # ten frames, different from each other, with uncertain predictions
    ros2 run fanet_ros adapt drive_1 --labels to_label --output mine.safetensors    # after correcting to_label/labels

The output holds images/NAME.png, labels/NAME.png with the class colours as palette, class_map.yaml, and for CVAT labelmap.txt and
annotations.zip (format "Segmentation mask 1.1"). Corrected masks may hold class indices, a palette, or the class colours.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.number_arguments import count_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Choose and write; returns the exit code: 0, 1 with one line on stderr, or 130 when interrupted."""
    arguments = parse_arguments(argv)
    return exit_code_of('pick', lambda: _pick(arguments),
                        remedy=lambda _: 'choose another --output, or check its free space and permissions')


def _pick(arguments: argparse.Namespace) -> None:
    from fanet_ros.tools.pick.run import pick  # here: takes seconds, in which Ctrl-C must work too, and not needed for --help
    pick(arguments)


def parse_arguments(argv: Optional[list[str]]) -> argparse.Namespace:
    """Parse the command line; exits with a message if it is invalid."""
    parser = argparse.ArgumentParser(prog='pick', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='SOURCE', help='a rosbag2, a video, a folder of images or /dev/videoN')
    parser.add_argument('--output', type=Path, required=True, metavar='DIR', help='folder for frames and masks, new or empty')
    parser.add_argument('--count', type=count_argument, default=10, help='number of frames to choose (default %(default)s)')
    parser.add_argument('--frames', type=count_argument, default=200,
                        help='number of frames to choose from, spread evenly over the source (default %(default)s)')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path (default: %(default)s)')
    parser.add_argument('--image-topic', default='', metavar='TOPIC', help='camera to use in a bag with several cameras')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu', 'cuda' or 'cuda:N'")
    parser.add_argument('--quiet', action='store_true', help='no progress bars')
    return parser.parse_args(argv)
