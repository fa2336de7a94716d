# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes the state of the segmentation node on /diagnostics and logs new problems."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType, ROSClock
from rclpy.node import Node

from fanet_ros.ros.segmentation.diagnostics import DOUBTFUL, LATE, OK, SILENT, SLOW, STALE, UNSTAMPED, WARN, Status

# Problems logged once until the camera recovers. Rejected frames are logged where they occur.
LOGGED = (SLOW, LATE, STALE, UNSTAMPED, DOUBTFUL)
NO_TIME = 'no simulated time'


@dataclass(frozen=True)
class NodeState:
    """State common to all cameras: lifecycle state, device, and key-value pairs about the model."""

    label: str
    device: str
    values: dict[str, str]


class DiagnosticsPublisher:
    """Publishes the status of each camera every `period_s` seconds, and logs each new problem once.

    :param state: returns the current state of the node
    :param cameras: for each camera name ('' for a single camera): a function that returns its status, and one that returns
        the reason, in a few words, why no image arrives
    """

    def __init__(self, node: Node, period_s: float, state: Callable[[], NodeState],
                 cameras: Mapping[str, tuple[Callable[[], Status], Callable[[], str]]]) -> None:
        self._node, self._state, self._cameras = node, state, cameras
        self._logged: dict[str, str] = {}         # kind of the last logged problem of each camera
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # Not the node's clock: paused simulated time must be reported too.
        self.timer = node.create_timer(period_s, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

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
            self._logged.pop(camera, None)
        elif isinstance(clock, ROSClock) and clock.ros_time_is_active and clock.now().nanoseconds == 0:
            level, message = WARN, 'use_sim_time is set, but simulated time has not started on /clock'
            self._log_once(camera, message, NO_TIME)
        elif status.kind == SILENT:
            message = f'{message}: {why_silent()}'
            self._log_once(camera, message, SILENT)
        elif status.kind in LOGGED:
            self._log_once(camera, message, status.kind)
        else:
            self._logged.pop(camera, None)
        values = {'state': state.label, **state.values, **status.values}
        name = f'{self._node.get_fully_qualified_name().lstrip("/")}: image segmentation'
        return DiagnosticStatus(
            level=bytes([level]), message=message, hardware_id=state.device,
            name=f'{name} of {camera}' if camera else name,
            values=[KeyValue(key=key, value=value) for key, value in values.items()])

    def _log_once(self, camera: str, message: str, kind: str) -> None:
        if self._logged.get(camera) != kind:
            self._node.get_logger().warning(f'{camera}: {message}' if camera else message)
        self._logged[camera] = kind
