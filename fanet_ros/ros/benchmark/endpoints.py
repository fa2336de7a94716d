# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Endpoints of the transport benchmark, each run as a process: a lightweight camera, and a receiver of masks."""
from __future__ import annotations

import array
import json
import sys
import time
from contextlib import ExitStack
from typing import Optional

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.host.child_process import start_child
from fanet_ros.host.process_tuning import tune_process
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.common.engine_text import STANDS_IN
from fanet_ros.ros.common.process import shut_down
from fanet_ros.sources import SyntheticStreet

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
FRAMES = 4                  # number of distinct images, rendered in advance
WARM_UP_S = 2.0             # frames of this period, once the node has its final engine, do not count
SETTLING_S = 60.0           # the longest time to wait for that
BUSY = (sys.executable, '-c', 'while True: pass')
STAGES = ('wait_ms', 'convert_ms', 'preprocess_ms', 'network_ms', 'postprocess_ms', 'publish_ms')


def run_camera(height: int, width: int, rate_hz: float, seconds: float, reliability: str, busy: int, busy_after_s: float, *,
               is_jpeg: bool = False) -> None:
    """Publish `image` (bgr8) or `image/compressed` (JPEG) at a constant rate once node and receiver are up.

    Prints the stamps after the warm-up, and when the other load began, in ns.

    :param busy: number of processes that keep a core busy each, from `busy_after_s` after the warm-up
    """
    node = rclpy.create_node('benchmark_camera')
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy[reliability.upper()])
    settled: list[DiagnosticArray] = []
    node.create_subscription(DiagnosticArray, '/diagnostics', lambda message: settled.extend(
        [message] if _is_settled(message) else []), 1)
    topic = 'image/compressed' if is_jpeg else 'image'
    publisher = node.create_publisher(CompressedImage if is_jpeg else Image, topic, qos)
    street = SyntheticStreet(width, height, seed=0)
    images = [(_jpeg if is_jpeg else _raw)(np.ascontiguousarray(street.frame(20 * index).rgb[..., ::-1]))
              for index in range(FRAMES)]
    while not (node.count_subscribers(topic) and node.count_subscribers('segmentation/mask')):
        time.sleep(0.05)
    time.sleep(1.0)         # until every connection is established on both sides
    start = time.perf_counter()

    def send(number: int) -> int:
        """Send an image when it is due; returns its stamp in ns."""
        time.sleep(max(start + number / rate_hz - time.perf_counter(), 0))
        image = images[number % FRAMES]
        image.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(image)
        return stamp_ns(image.header)
    first = 0
    for first in range(round(SETTLING_S * rate_hz)):
        send(first)
        rclpy.spin_once(node, timeout_sec=0)
        if settled:
            break
    skipped = first + 1 + round(WARM_UP_S * rate_hz)
    for number in range(first + 1, skipped):
        send(number)
    with ExitStack() as stack:
        stamps: list[int] = []
        busy_from: Optional[int] = None
        for number in range(skipped, skipped + round(seconds * rate_hz)):
            if busy and busy_from is None and number - skipped >= busy_after_s * rate_hz:
                busy_from = node.get_clock().now().nanoseconds
                for _ in range(busy):
                    process = start_child(BUSY)
                    stack.callback(process.wait)
                    stack.callback(process.kill)
            stamps.append(send(number))
    time.sleep(1.0)
    print(json.dumps([stamps, busy_from]))


def _is_settled(message: DiagnosticArray) -> bool:
    """Whether the segmentation node reports an engine that does not just stand in for another one."""
    engines = [item.value for status in message.status for item in status.values if item.key == 'engine']
    return bool(engines) and not any(engine.endswith(STANDS_IN) for engine in engines)


def _raw(bgr: np.ndarray) -> Image:
    height, width, _ = bgr.shape
    return Image(height=height, width=width, encoding='bgr8', step=3 * width, data=array.array('B', bgr.tobytes()))


def _jpeg(bgr: np.ndarray) -> CompressedImage:
    return CompressedImage(format='bgr8; jpeg compressed bgr8', data=array.array('B', cv2.imencode('.jpg', bgr)[1].tobytes()))


def run_receiver(*, with_overlay: bool = False) -> None:
    """Receive masks and timings until SIGINT; print [stamp in ns, received in ns, [STAGES in ms], height] for each mask.

    The height is that of the network input in px. Without a timing message, stages are null and height is 0.
    """
    node = rclpy.create_node('benchmark_receiver')
    received: dict[int, int] = {}
    timings: dict[int, tuple[list[float], int]] = {}

    def on_mask(message: Image) -> None:
        received[stamp_ns(message.header)] = node.get_clock().now().nanoseconds

    def on_timing(message: FrameTiming) -> None:
        timings[stamp_ns(message.header)] = [getattr(message, name) for name in STAGES], message.input_height

    node.create_subscription(Image, 'segmentation/mask', on_mask, RELIABLE)
    node.create_subscription(FrameTiming, 'segmentation/timing', on_timing, RELIABLE)
    if with_overlay:
        node.create_subscription(Image, 'segmentation/overlay', lambda _: None, RELIABLE)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    print(json.dumps([[stamp, at, *timings.get(stamp, (None, 0))] for stamp, at in received.items()]))


def main() -> int:
    """Run `camera HEIGHT WIDTH RATE SECONDS RELIABILITY BUSY BUSY_AFTER [jpeg]` or `receiver [overlay]`, for
    benchmark_transport."""
    role, *values = sys.argv[1:]
    tune_process()
    rclpy.init(args=[])
    try:
        if role == 'camera':
            run_camera(int(values[0]), int(values[1]), float(values[2]), float(values[3]), values[4],
                       int(values[5]), float(values[6]), is_jpeg='jpeg' in values)
        else:
            run_receiver(with_overlay='overlay' in values)
    finally:
        shut_down()
    return 0


if __name__ == '__main__':
    sys.exit(main())
