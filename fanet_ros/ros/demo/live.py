# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic street, segmentation node and dashboard until Ctrl-C: a first look in the browser, without a robot.

    python -m fanet_ros live                      # the built-in synthetic street
    python -m fanet_ros live --source drive.mp4   # a video, a folder of images, or /dev/video0
"""
from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Optional

from fanet_ros.choices import ENGINES
from fanet_ros.host.termination import exit_on_sigterm
from fanet_ros.number_arguments import positive_argument
from fanet_ros.ros.common.node_command import node_command
from fanet_ros.ros.demo.children import Child, Children
from fanet_ros.ros.demo.demo import MAX_WIDTH_PX, STREET, camera_size
from fanet_ros.ros.demo.environment import DemoError, ros_environment

POLL_S = 0.2
LINK = re.compile(r'open (http://localhost:\d+)/')        # in the dashboard's log, with the port it chose if given 0
PROGRAMS = {'segmentation': 'segmentation_node', 'camera': 'camera_node', 'dashboard': 'dashboard'}


def main(argv: Optional[list[str]] = None) -> int:
    """Run until Ctrl-C; returns 0 then, or 1 with the reason on stderr if one of the processes fails."""
    arguments = _parser().parse_args(argv)
    exit_on_sigterm()
    try:
        _run(arguments)
    except (DemoError, ValueError, OSError) as error:
        print(f'live: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    return 0


def _run(arguments: argparse.Namespace) -> None:
    width, height = camera_size(arguments.source, 0, 0)
    parameters = {
        'dashboard': {'port': arguments.port},
        'segmentation': {'checkpoint': arguments.checkpoint, 'device': arguments.device, 'engine': arguments.engine},
        'camera': {'source': arguments.source, 'rate_hz': arguments.rate, 'width': width, 'height': height,
                   'seed': arguments.seed}}
    environment = ros_environment(os.environ)
    with tempfile.TemporaryDirectory(prefix='fanet_ros_live_') as logs, Children() as children:
        for name, values in parameters.items():
            command = node_command(PROGRAMS[name], values)
            children.add(Child(name, command, environment, Path(logs) / f'{name}.log'))
        while not (link := LINK.search((Path(logs) / 'dashboard.log').read_text(errors='replace'))):
            children.check()
            time.sleep(POLL_S)
        print(f'open {link[1]} in a browser: {_called(arguments.source)} at {arguments.rate:g} Hz, images appear once the '
              f'network is loaded\n'
              f'ROS_DOMAIN_ID={environment["ROS_DOMAIN_ID"]} for ros2 topic and rviz2; Ctrl-C stops everything', flush=True)
        while True:
            children.check()
            time.sleep(POLL_S)


def _called(source: str) -> str:
    return 'the synthetic street' if source == STREET else source


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='live', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--source', default=STREET,
                        help=f"'street' (default), or a video, image folder or camera device, at most {MAX_WIDTH_PX} px wide")
    parser.add_argument('--rate', type=positive_argument, default=10.0, help='camera frames per second (default 10)')
    parser.add_argument('--port', type=int, default=8765, help='port of the page on localhost; 0: any free port (default 8765)')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='name or path (default fanet18_camvid)')
    parser.add_argument('--device', default='auto', help="'auto' (default), 'cpu', 'cuda' or 'cuda:N'")
    parser.add_argument('--engine', default='auto', choices=ENGINES, help='inference backend (default auto: the fastest)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the synthetic street (default 0)')
    return parser
