# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Listens to a camera only while somebody subscribes to what is made of its images, as image_pipeline's nodes do."""
from __future__ import annotations

import time
from dataclasses import replace
from typing import Callable, Mapping

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fanet_ros.ros.segmentation.camera_input import CameraInput
from fanet_ros.ros.segmentation.diagnostics import IDLE, OK, SILENT, Status
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs

PERIOD_S = 0.1          # Humble tells nobody of a new subscriber, so that it is looked for
REST_AFTER_S = 1.0      # unwanted: subscribers that are there may not be discovered yet, or come again at once


class Demand:
    """Subscribes the cameras between start() and stop(), each as long as it is wanted.

    :param outputs: of each camera, from start() to stop()
    :param is_lazy: whether it matters if there are subscribers; may change at any time
    """

    def __init__(self, node: Node, cameras: Mapping[str, CameraInput], outputs: Mapping[str, FrameOutputs],
                 is_lazy: Callable[[], bool]) -> None:
        self._cameras, self._outputs, self._is_lazy = cameras, outputs, is_lazy
        self._is_started = False
        self._wanted_at = dict.fromkeys(cameras, 0.0)       # last, by time.monotonic()
        # A steady clock: simulated time may stand still until somebody listens.
        node.create_timer(PERIOD_S, self.follow, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def start(self) -> None:
        """Begin, with all: what is wrong with a subscription is told now, not with the first subscriber.

        :raises ValueError: a qos_overrides parameter is wrong
        """
        for name, camera in self._cameras.items():
            camera.subscribe()
            self._wanted_at[name] = time.monotonic()
        self._is_started = True

    def stop(self) -> None:
        """Unsubscribe all."""
        self._is_started = False
        for camera in self._cameras.values():
            camera.unsubscribe()

    def follow(self) -> None:
        """Subscribe and unsubscribe as it is wanted at this moment."""
        for name, camera in self._cameras.items() if self._is_started else ():
            now = time.monotonic()
            if not self._is_lazy() or self._outputs[name].has_subscribers:
                self._wanted_at[name] = now
                if not camera.is_subscribed:
                    camera.subscribe()
            elif camera.is_subscribed and now - self._wanted_at[name] > REST_AFTER_S:
                camera.unsubscribe()

    def status(self, camera: CameraInput, status: Status) -> Status:
        """`status`, unless the camera is not listened to: then it is no fault that no image comes, but that none could."""
        if not self._is_started or camera.is_subscribed:
            return status
        if status.kind == SILENT and not camera.has_publisher:
            return replace(status, message='idle, and no image would come')
        return replace(status, level=OK, kind=IDLE, message='idle: nobody subscribes to an output (lazy)')
