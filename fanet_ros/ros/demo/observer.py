# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's own node: sees who listens to what, and how many frames have come and been segmented."""
from __future__ import annotations

import time
from typing import Optional

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile

from fanet_ros.msg import FrameTiming


class Observer:
    """Listens, in this domain, to the times of the frames. It takes no images: that would cost what the demo measures."""

    def __init__(self, domain_id: int, timing_topic: str) -> None:
        self._first: Optional[FrameTiming] = None
        self._last = FrameTiming()
        self._context = Context()           # of its own: no signal handlers, Ctrl-C is the demo's
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
        """Take in what comes, for so long."""
        deadline = time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def listeners(self, topic: str) -> set[str]:
        """The names of the nodes that subscribe to it."""
        return {end.node_name for end in self._node.get_subscriptions_info_by_topic(topic)}

    @property
    def frames(self) -> int:
        """How many frames the segmentation node has received from the first one on that it segmented."""
        return 0 if self._first is None else self._last.frames_received - self._first.frames_received + 1

    @property
    def masks(self) -> int:
        """How many it has segmented."""
        return self._last.frames_segmented

    def _on_timing(self, timing: FrameTiming) -> None:
        self._first, self._last = self._first or timing, timing
