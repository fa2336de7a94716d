# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment an image, a folder of images or a video, without ROS.

    ros2 run fanet_ros segment_images INPUT --output OUT

OUT/masks/NAME.png: class index of every pixel, 255: unlabelled, with a palette of the class colours.
OUT/overlay/NAME.jpg: image and mask blended; for a video OUT/overlay.mp4, and masks only with --masks.
NAME: of the image, with its suffix only where another image differs in nothing else.
OUT/contact_sheet.jpg: some images with mask, overlay and legend. OUT/class_map.yaml: names of the class indices.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.number_arguments import positive_argument, share_argument
from fanet_ros.tools.network_arguments import add_network_arguments


def main(argv: Optional[list[str]] = None) -> int:
    """Segment the input and write the results; returns the exit code: 0, 1 with one line on stderr, or 130 when interrupted."""
    arguments = _parser().parse_args(argv)

    def run() -> None:
        from fanet_ros.tools.segment_images.run import segment_images
        print(segment_images(arguments))
    return exit_code_of('segment_images', run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='segment_images', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', type=Path, metavar='INPUT', help='an image, a folder of images, or a video')
    parser.add_argument('--output', type=Path, required=True, metavar='OUT',
                        help='folder; existing files with these names are replaced')
    parser.add_argument('--masks', action='store_true', help='for a video: also write masks, one file per frame')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path (default: %(default)s)')
    parser.add_argument('--class-map', default='', help="YAML file with class names and colours to use instead of the checkpoint's")
    add_network_arguments(parser)
    parser.add_argument('--scale', type=positive_argument, default=1.0,
                        help="network resolution: 1 is the checkpoint's number of pixels in the image's aspect ratio")
    parser.add_argument('--alpha', type=share_argument, default=0.5, help='opacity of the class colours in the overlay, 0..1')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser
