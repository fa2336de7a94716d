# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time from starting the segmentation node to its first mask, and to its fastest engine, with a camera already publishing.

    ros2 run fanet_ros benchmark_start --rounds 5 --output out

Alternates between a cold cache (a new folder each time) and a warm one (the folder filled by the first round). With --scale, the
resolution is then changed there and back, which is timed, too: until the node has confirmed the change.
"""
from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

import rclpy
from rcl_interfaces.srv import SetParameters
from rclpy.client import Client
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

from fanet_ros.atomic_file import write_json
from fanet_ros.choices import ENGINES
from fanet_ros.host.child_process import start_child, stop_child
from fanet_ros.host.process_tuning import tune_process
from fanet_ros.host.termination import exit_code_of
from fanet_ros.ros.benchmark.header import measured_here
from fanet_ros.ros.common.image_conversion import rgb_to_image_message
from fanet_ros.ros.common.node_command import node_command
from fanet_ros.ros.common.process import shut_down
from fanet_ros.size_text import METAVAR, size_argument
from fanet_ros.sources import SyntheticStreet

RATE_HZ = 10.0
TIMEOUT_S = 300.0
SETTLED = 'now segmenting with '
KINDS = ('cold', 'warm')


@dataclass(frozen=True)
class Start:
    """One start; seconds since the process was started."""

    cache: str                  # one of KINDS
    first_mask_s: float
    settled_s: float            # until the fastest engine runs; first_mask_s if no provisional engine was used
    engine: str                 # in use from then on
    switch_s: Optional[float]   # time to change to --scale, once settled; None without --scale
    switch_back_s: Optional[float]


def main(argv: Optional[list[str]] = None) -> int:
    """Measure, print a line for each start and the medians, and write JSON; returns the exit code."""
    arguments = _parse(argv)
    tune_process()
    rclpy.init(args=[])
    starts: list[Start] = []

    def measure_all() -> None:
        with tempfile.TemporaryDirectory(prefix='fanet_ros_start_', ignore_cleanup_errors=True) as folder:
            warm = Path(folder) / 'warm'
            _measure('warm', warm, arguments)           # fills it, and the file cache of the system
            for number in range(arguments.rounds):
                for kind, cache in (('cold', Path(folder) / str(number)), ('warm', warm)):
                    start = _measure(kind, cache, arguments)
                    starts.append(start)
                    switch = '' if start.switch_s is None else \
                        f', resolution changed in {start.switch_s:.2f} s and back in {start.switch_back_s:.2f} s'
                    print(f'{kind} cache: first mask after {start.first_mask_s:.2f} s, settled after {start.settled_s:.2f} s '
                          f'on {start.engine}{switch}', flush=True)
    try:
        code = exit_code_of('benchmark_start', measure_all, errors=(RuntimeError, OSError, ValueError))
    finally:
        shut_down()
    for kind in KINDS:
        times = [start.first_mask_s for start in starts if start.cache == kind]
        if times:
            print(f'{kind} cache: median {statistics.median(times):.2f} s, {min(times):.2f} to {max(times):.2f} s, '
                  f'of {len(times)} starts')
    if arguments.output is not None and starts:
        arguments.output.mkdir(parents=True, exist_ok=True)
        content = {**measured_here('benchmark_start', argv), 'starts': [asdict(start) for start in starts]}
        write_json(arguments.output / 'start.json', content)
    return code


def _parse(argv: Optional[list[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='benchmark_start', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5, help='number of starts with each cache')
    parser.add_argument('--size', type=size_argument, default=(480, 640), metavar=METAVAR,
                        help='size of the images [px] (default 640x480)')
    parser.add_argument('--checkpoint', default='fanet18_camvid')
    parser.add_argument('--engine', choices=ENGINES, default='auto')
    parser.add_argument('--scale', type=float, help='also time the change of input_scale to this and back')
    parser.add_argument('--output', type=Path, help='folder for start.json')
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1:
        parser.error('--rounds must be at least 1')
    return arguments


def _measure(kind: str, cache: Path, arguments: argparse.Namespace) -> Start:
    """Start a node with its cache in `cache`, send it images, and stop it once its final engine runs.

    :raises RuntimeError: the node exited, or produced no mask within TIMEOUT_S
    """
    node = rclpy.create_node('benchmark_start')
    masks: list[float] = []
    node.create_subscription(Image, 'segmentation/mask', lambda _: masks.append(time.monotonic()), 1)
    settings = node.create_client(SetParameters, 'segmentation/set_parameters')
    publisher = node.create_publisher(Image, 'image', 1)
    height, width = arguments.size
    frame = SyntheticStreet(width, height, seed=0).frame(0).rgb

    def send() -> None:
        header = Image().header
        header.stamp = node.get_clock().now().to_msg()
        publisher.publish(rgb_to_image_message(frame, header))
    node.create_timer(1 / RATE_HZ, send)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile('w+') as log:
        started = time.monotonic()
        process = start_child(
            node_command('segmentation_node', {'checkpoint': arguments.checkpoint, 'engine': arguments.engine}), stdout=log,
            stderr=subprocess.STDOUT, env={**os.environ, 'XDG_CACHE_HOME': str(cache)})
        try:
            settled, text = None, ''
            while settled is None:
                rclpy.spin_once(node, timeout_sec=0.02)
                now = time.monotonic()
                log.seek(0)
                text = log.read()
                if process.poll() is not None or now > started + TIMEOUT_S:
                    print(text, file=sys.stderr)
                    raise RuntimeError('no mask received; see the output of the node above')
                if masks and (('stands in' not in text and now > masks[0] + 2.0) or SETTLED in text):
                    settled = now if SETTLED in text else masks[0]
            switches = (None, None) if arguments.scale is None else (
                _switch(node, settings, arguments.scale), _switch(node, settings, 1.0))
        finally:
            stop_child(process)
            node.destroy_node()
    engines = re.findall(r'segmenting .* on \S+ \(([^)]*)\)', text)
    return Start(kind, round(masks[0] - started, 3), round(settled - started, 3), engines[-1] if engines else 'unknown', *switches)


def _switch(node: Node, settings: Client, scale: float) -> float:
    """Seconds until the segmentation node has confirmed that it runs at `scale`.

    :raises RuntimeError: it refuses, or does not answer within TIMEOUT_S
    """
    started = time.monotonic()
    answer = settings.call_async(SetParameters.Request(parameters=[Parameter('input_scale', value=scale).to_parameter_msg()]))
    while not answer.done():
        rclpy.spin_once(node, timeout_sec=0.02)
        if time.monotonic() > started + TIMEOUT_S:
            raise RuntimeError(f'input_scale {scale:g}: no answer')
    seconds = time.monotonic() - started
    result, = answer.result().results
    if not result.successful:
        raise RuntimeError(f'input_scale {scale:g}: {result.reason}')
    return round(seconds, 3)
