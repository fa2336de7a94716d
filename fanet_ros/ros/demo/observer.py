# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's own node: observes subscriptions, and counts received and segmented frames."""
from __future__ import annotations

import time
from typing import Optional

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

from fanet_ros.msg import FrameTiming


class Observer:
    """Subscribes to timing messages in a domain, but to no images: that would distort the measurement. A context manager."""

    def __init__(self, domain_id: int, timing_topic: str) -> None:
        self._first: Optional[FrameTiming] = None
        self._last = FrameTiming()
        self._context = Context()           # separate context without signal handlers: the demo handles Ctrl-C
        rclpy.init(args=[], context=self._context, domain_id=domain_id)
        self._node = rclpy.create_node('demo', context=self._context, enable_rosout=False, start_parameter_services=False)
        self._node.create_subscription(FrameTiming, timing_topic, self._on_timing, QoSProfile(depth=100))
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def watch(self, seconds: float) -> None:
        """Process incoming messages for this long."""
        deadline = time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def listeners(self, topic: str) -> set[str]:
        """Names of the nodes that subscribe to `topic`."""
        return {end.node_name for end in self._node.get_subscriptions_info_by_topic(topic)}

    @property
    def frames(self) -> int:
        """Number of frames the segmentation node has received, counted from the first one it segmented."""
        return 0 if self._first is None else self._last.frames_received - self._first.frames_received + 1

    @property
    def masks(self) -> int:
        """Number of frames it has segmented."""
        return self._last.frames_segmented

    def _on_timing(self, timing: FrameTiming) -> None:
        self._first, self._last = self._first or timing, timing
