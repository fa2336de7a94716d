# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tells /diagnostics, and in the log who should know, how the segmentation node is doing."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType, ROSClock
from rclpy.node import Node

from fanet_ros.ros.segmentation.diagnostics import DOUBTFUL, LATE, OK, SILENT, SLOW, STALE, UNSTAMPED, WARN, Status

# What the log tells once, until the camera is well again. Frames that are rejected are logged by themselves.
LOGGED = (SLOW, LATE, STALE, UNSTAMPED, DOUBTFUL)


@dataclass(frozen=True)
class NodeState:
    """What is the same for all cameras: the lifecycle's state, the device, and key-value pairs about the model."""

    label: str
    device: str
    values: dict[str, str]


class DiagnosticsPublisher:
    """Publishes a status of each camera every period, and logs once when its images stop.

    :param state: gives the present state of the node
    :param cameras: of each camera by its name, '' for the only one: what gives its status, and the reason, in half a
        sentence, when no image comes
    """

    def __init__(self, node: Node, period_s: float, state: Callable[[], NodeState],
                 cameras: Mapping[str, tuple[Callable[[], Status], Callable[[], str]]]) -> None:
        self._node, self._state, self._cameras = node, state, cameras
        self._told: dict[str, str] = {}         # what the log told last of a camera
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # Not the node's clock: when simulated time stands still, that is just what has to be told.
        node.create_timer(period_s, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _publish(self) -> None:
        state = self._state()
        array = DiagnosticArray(status=[self._status(camera, state) for camera in self._cameras])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def _status(self, camera: str, state: NodeState) -> DiagnosticStatus:
        give_status, why_silent = self._cameras[camera]
        status = give_status()
        level, message = status.level, status.message
        clock = self._node.get_clock()
        if state.label != 'active':
            level, message = OK, state.label
            self._told.pop(camera, None)
        elif isinstance(clock, ROSClock) and clock.ros_time_is_active and clock.now().nanoseconds == 0:
            level, message = WARN, 'use_sim_time is set, but simulated time has not begun on /clock'
            self._log_once(camera, message)
        elif status.kind == SILENT:
            message = f'{message}: {why_silent()}'
            self._log_once(camera, message)
        elif status.kind in LOGGED:
            self._log_once(camera, message, status.kind)
        else:
            self._told.pop(camera, None)
        values = {'state': state.label, **state.values, **status.values}
        name = f'{self._node.get_fully_qualified_name().lstrip("/")}: image segmentation'
        return DiagnosticStatus(
            level=bytes([level]), message=message, hardware_id=state.device,
            name=f'{name} of {camera}' if camera else name,
            values=[KeyValue(key=key, value=value) for key, value in values.items()])

    def _log_once(self, camera: str, message: str, kind: str = SILENT) -> None:
        if self._told.get(camera) != kind:
            self._node.get_logger().warning(f'{camera}: {message}' if camera else message)
        self._told[camera] = kind
