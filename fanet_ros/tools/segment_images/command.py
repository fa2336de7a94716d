# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment a picture, a folder of pictures or a video, without ROS.

    ros2 run fanet_ros segment_images PICTURES --output OUT

OUT/masks/NAME.png: the number of the class of every pixel, 255 where none; a palette shows them in the classes' colours.
OUT/overlay/NAME.jpg: picture and mask blended; of a video OUT/overlay.mp4, and no masks unless --masks asks for them.
OUT/contact_sheet.jpg: some of the pictures with mask, overlay and legend. OUT/class_map.yaml: what the numbers mean.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.choices import ENGINES, PRECISIONS
from fanet_ros.host.termination import exit_code_of


def main(argv: Optional[list[str]] = None) -> int:
    """Write it all; returns the exit code: 0, 1 with one line on stderr, or 130 when interrupted."""
    arguments = _parser().parse_args(argv)

    def run() -> None:
        from fanet_ros.tools.segment_images.run import segment_images
        print(segment_images(arguments))
    return exit_code_of('segment_images', run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='segment_images', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pictures', type=Path, metavar='PICTURES', help='a picture, a folder of them, or a video')
    parser.add_argument('--output', type=Path, required=True, metavar='OUT',
                        help='folder; what it holds by these names is replaced')
    parser.add_argument('--masks', action='store_true', help='of a video too, a file for each frame')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path')
    parser.add_argument('--class-map', default='', help="YAML with other names and colours than the checkpoint's")
    parser.add_argument('--device', default='auto')
    parser.add_argument('--engine', choices=ENGINES, default='auto')
    parser.add_argument('--precision', choices=PRECISIONS, default='auto')
    parser.add_argument('--scale', type=float, default=1.0,
                        help="of the network's resolution, which is the checkpoint's number of pixels in the picture's shape")
    parser.add_argument('--alpha', type=float, default=0.5, help='share of the colours in the overlay, 0..1')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser
