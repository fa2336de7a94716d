# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lazy subscription: subscribe to a camera only while its outputs have subscribers, like image_pipeline's nodes."""
from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, Mapping

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fanet_ros.ros.segmentation.camera_input import CameraInput
from fanet_ros.ros.segmentation.diagnostics import IDLE, OK, SILENT, Status
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs

PERIOD_S = 0.1          # polled: Humble has no event for new subscribers
REST_AFTER_S = 1.0      # without subscribers: existing ones may not be discovered yet, or may reconnect at once


class LazySubscriptions:
    """Subscribes to each camera between start() and stop(), while its outputs have subscribers.

    :param outputs: outputs of each camera; complete between start() and stop()
    :param is_lazy: whether subscriptions depend on demand (False: always subscribed); may change at any time
    """

    def __init__(self, node: Node, cameras: Mapping[str, CameraInput], outputs: Mapping[str, FrameOutputs],
                 is_lazy: Callable[[], bool]) -> None:
        self._cameras, self._outputs, self._is_lazy = cameras, outputs, is_lazy
        self._is_started = False
        self._wanted_at = dict.fromkeys(cameras, 0.0)       # last, by time.monotonic()
        # A steady clock: simulated time may be paused until there is a subscriber.
        self.timer = node.create_timer(PERIOD_S, self.update, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def start(self) -> None:
        """Subscribe to all cameras, so that an invalid subscription fails now, not with the first subscriber.

        :raises ValueError: a qos_overrides parameter is invalid
        """
        for name, camera in self._cameras.items():
            camera.subscribe()
            self._wanted_at[name] = time.monotonic()
        self._is_started = True

    def stop(self) -> None:
        self._is_started = False
        for camera in self._cameras.values():
            camera.unsubscribe()

    def update(self) -> None:
        """Subscribe or unsubscribe according to the current demand; called by a timer."""
        for name, camera in self._cameras.items() if self._is_started else ():
            now = time.monotonic()
            if not self._is_lazy() or self._outputs[name].has_subscribers:
                self._wanted_at[name] = now
                if not camera.is_subscribed:
                    camera.subscribe()
            elif camera.is_subscribed and now - self._wanted_at[name] > REST_AFTER_S:
                camera.unsubscribe()

    def status(self, camera: CameraInput, status: Status) -> Status:
        """`status`; for an unsubscribed camera, silence is only a fault if it has no compatible publisher."""
        if not self._is_started or camera.is_subscribed:
            return status
        if status.kind == SILENT and not camera.has_publisher:
            return replace(status, message='idle, and no image would arrive')
        return replace(status, level=OK, kind=IDLE, message='idle: nobody subscribes to an output (lazy)')
