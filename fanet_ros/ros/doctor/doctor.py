# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks everything the segmentation node needs before you drive, and gives a remedy for each problem.

    ros2 run fanet_ros doctor --ros-args -r image:=/camera/image_raw --params-file my.param.yaml

It takes the same ROS arguments as the node: parameters, remappings, namespace. Exit code 0: the node can be started; 1: it
cannot, or with --strict there are warnings; 2: invalid arguments.
"""
from __future__ import annotations

import argparse
import sys
from typing import Optional

from rclpy.utilities import remove_ros_args


def main(argv: Optional[list[str]] = None) -> int:
    """Check and report; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parse(remove_ros_args(['doctor', *argv])[1:])
    if arguments.clean:
        from fanet_ros.inference.engines.cache import clean
        print(f'engine cache emptied: {clean() / 2**20:.0f} MiB')
        return 0
    from fanet_ros.ros.doctor.checks import examine  # imported late: torch takes seconds, and --help does not need it
    return examine(arguments, argv)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='doctor', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--wait-s', type=float, default=5.0, help='how long to wait for images [s] (default %(default)g)')
    parser.add_argument('--no-camera', action='store_true', help='skip the camera check, for use at a desk')
    parser.add_argument('--no-speed', action='store_true', help='do not measure the speed of the network')
    parser.add_argument('--clean', action='store_true', help='only empty the engine cache')
    parser.add_argument('--strict', action='store_true', help='exit code 1 for warnings too')
    parser.add_argument('--json', metavar='FILE', default='', help="write findings as JSON; '-': to stdout, instead of the report")
    arguments = parser.parse_args(argv)
    if not 0 < arguments.wait_s <= 3600:
        parser.error(f'--wait-s is {arguments.wait_s:g}: expected more than 0, at most 3600')
    return arguments
