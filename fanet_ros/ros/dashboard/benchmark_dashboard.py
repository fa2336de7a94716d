# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures what the dashboard costs the segmentation node, and how long masks take to the screen, for several numbers of viewers.

    ros2 run fanet_ros benchmark_dashboard
    ros2 run fanet_ros benchmark_dashboard --viewers 0 1 10 50 --rate 30 --engine openvino

Camera, node and dashboard are separate processes. The benchmark itself subscribes to the mask, as a robot would, so that the
node is active in every row. The first viewer is a page in headless Chromium if that and playwright are installed; the others
are clients that request images like a page but do not draw, because browsers normally run on other machines.
"""
from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import cv2
import numpy as np
import psutil
import rclpy
from rclpy.node import Node
from sensor_msgs.msg import Image

from fanet_ros.choices import ENGINES
from fanet_ros.host.child_process import start_child, stop_child
from fanet_ros.host.termination import exit_code_of
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.common.node_command import node_command
from fanet_ros.ros.dashboard.benchmark_viewers import BrowserViewer, ClientViewers
from fanet_ros.size_text import METAVAR, size_argument
from fanet_ros.sources import open_source

START_S = 180.0
END_S = 15.0
SETTLE_S = 3.0
STREET_FRAMES = 45


@dataclass(frozen=True)
class Row:
    """Result for one number of viewers. CPU in % of one core; None: not measured, or no such process."""

    label: str
    mask_hz: float
    node_cpu: float
    dashboard_cpu: Optional[float]
    images_hz: Optional[float]
    seen_ms: Optional[tuple[float, float]]

    def __str__(self) -> str:
        seen = '-' if self.seen_ms is None else f'{self.seen_ms[0]:.0f} / {self.seen_ms[1]:.0f}'
        dashboard_cpu = '-' if self.dashboard_cpu is None else f'{self.dashboard_cpu:.0f}'
        images_hz = '-' if self.images_hz is None else f'{self.images_hz:.1f}'
        cells = [f'{self.mask_hz:.1f}', f'{self.node_cpu:.0f}', dashboard_cpu, images_hz, seen]
        return f'| {self.label} | {" | ".join(cells)} |'


def main(argv: Optional[list[str]] = None) -> int:
    """Measure and print the table; returns 1 with one line on stderr if a process does not start."""
    arguments = _parser().parse_args(argv)
    rclpy.init()
    try:
        with ExitStack() as processes:
            return exit_code_of('benchmark_dashboard', lambda: _measure_all(arguments, processes),
                                errors=(RuntimeError, OSError, ValueError))
    finally:
        rclpy.try_shutdown()


def _measure_all(arguments: argparse.Namespace, processes: ExitStack) -> None:
    node = rclpy.create_node('benchmark_dashboard')
    masks: list[float] = []
    node.create_subscription(FrameTiming, '/segmentation/timing', lambda message: masks.append(time.monotonic()), 50)
    node.create_subscription(Image, '/segmentation/mask', lambda message: None, 5)
    height, width = arguments.size
    folder = processes.enter_context(tempfile.TemporaryDirectory(prefix='fanet_ros_street_'))
    _draw_street(Path(folder), width, height)
    processes.enter_context(_process('camera_node', {'source': folder, 'rate_hz': float(arguments.rate)}))
    segmentation = processes.enter_context(_process('segmentation_node', {
        'checkpoint': arguments.checkpoint, 'engine': arguments.engine, 'input_scale': float(arguments.input_scale)}))
    _wait(node, lambda: bool(masks), 'the first mask')

    def measure(label: str, dashboard: Optional[subprocess.Popen] = None, clients: Optional[ClientViewers] = None,
                browser: Optional[BrowserViewer] = None) -> None:
        _spin(node, SETTLE_S)
        if browser is not None:
            browser.forget()
        frames = 0 if clients is None else clients.frames
        before, of_node = time.monotonic(), _cpu_s(segmentation)
        of_dashboard = 0.0 if dashboard is None else _cpu_s(dashboard)
        _spin(node, arguments.seconds)
        spent_s = time.monotonic() - before
        seen = browser.seen_ms() if browser is not None else []
        images_hz = len(seen) / spent_s if seen else None
        if clients is not None:
            images_hz = (clients.frames - frames) / spent_s / clients.count
        print(Row(label, sum(at >= before for at in masks) / spent_s, 100 * (_cpu_s(segmentation) - of_node) / spent_s,
                  None if dashboard is None else 100 * (_cpu_s(dashboard) - of_dashboard) / spent_s, images_hz,
                  (float(np.percentile(seen, 50)), float(np.percentile(seen, 95))) if seen else None), flush=True)

    print(f'camera {width}x{height} at {arguments.rate:g} Hz, {arguments.seconds:g} s a row, {os.cpu_count()} CPUs\n\n'
          '| viewers | masks/s | node CPU [%] | dashboard CPU [%] | images/s per viewer | published to displayed p50 / p95 [ms] |\n'
          '|---|---|---|---|---|---|', flush=True)
    measure('no dashboard')
    port = arguments.port or _free_port()
    link = f'http://localhost:{port}/'
    dashboard = processes.enter_context(_process('dashboard', {'port': port}))
    _wait(node, lambda: _is_served(port, dashboard), 'the page')
    for count in arguments.viewers:
        with ExitStack() as viewers:
            browser = _browser(link, viewers, node) if count else None
            rest = count - (browser is not None)
            clients = viewers.enter_context(ClientViewers(link, rest)) if rest > 0 else None
            measure(str(count), dashboard, clients, browser)


def _draw_street(folder: Path, width: int, height: int) -> None:
    """Write the frames to files in advance: drawing them takes longer than anything measured here."""
    for number, frame in zip(range(STREET_FRAMES), open_source('street', width=width, height=height)):
        cv2.imwrite(str(folder / f'{number:03d}.jpg'), cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))


def _browser(link: str, viewers: ExitStack, node: Node) -> Optional[BrowserViewer]:
    try:
        browser = BrowserViewer(link)
    except (ImportError, FileNotFoundError) as error:
        print(f'display latency is not measured: {error}', file=sys.stderr)
        return None
    viewers.callback(browser.close)
    _wait(node, browser.is_shown, 'an image in the browser')
    return browser


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def _is_served(port: int, dashboard: subprocess.Popen) -> bool:
    """Whether the dashboard accepts connections.

    :raises RuntimeError: it has ended
    """
    _cpu_s(dashboard)
    try:
        socket.create_connection(('localhost', port), timeout=1.0).close()
    except OSError:
        return False
    return True


@contextmanager
def _process(program: str, parameters: dict[str, object]) -> Iterator[subprocess.Popen]:
    process = start_child(node_command(program, parameters, ('--log-level', 'error')))
    try:
        yield process
    finally:
        stop_child(process, END_S)


def _wait(node: Node, condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f'waited {START_S:.0f} s in vain for {what}')
        rclpy.spin_once(node, timeout_sec=0.1)


def _spin(node: Node, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        rclpy.spin_once(node, timeout_sec=left)


def _cpu_s(process: subprocess.Popen) -> float:
    """CPU time used by a process, in s.

    :raises RuntimeError: it has ended
    """
    if process.poll() is not None:
        raise RuntimeError(f'a measured process ended with exit code {process.returncode}')
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='benchmark_dashboard', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--viewers', type=int, nargs='+', default=[0, 1, 10], help='viewers, one row each (default 0 1 10)')
    parser.add_argument('--seconds', type=float, default=30.0, help='duration of each row [s] (default 30)')
    parser.add_argument('--rate', type=float, default=15.0, help='camera frames per second (default 15)')
    parser.add_argument('--size', type=size_argument, default=(480, 640), metavar=METAVAR,
                        help='size of the camera frames [px] (default 640x480)')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='name or path (default fanet18_camvid)')
    parser.add_argument('--engine', default='auto', choices=ENGINES, help='inference backend (default auto)')
    parser.add_argument('--input-scale', type=float, default=0.5, help='input_scale of the node, so that it keeps up (default 0.5)')
    parser.add_argument('--port', type=int, default=8799, help='port of the page on localhost; 0: any free port (default 8799)')
    return parser
