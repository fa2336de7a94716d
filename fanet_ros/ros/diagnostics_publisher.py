"""Tells /diagnostics, and in the log who should know, how the segmentation node is doing."""
from __future__ import annotations

from typing import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fanet_ros.inference import Segmenter
from fanet_ros.ros.diagnostics import SILENT, WARN, Status


class DiagnosticsPublisher:
    """Publishes a Status every period, with what is known of the model, and logs once when the images stop.

    :param status: gives the present status
    :param why_silent: gives the reason, in half a sentence, when no image comes
    """

    def __init__(self, node: Node, segmenter: Segmenter, period_s: float, status: Callable[[], Status],
                 why_silent: Callable[[], str]) -> None:
        self._node, self._segmenter = node, segmenter
        self._status, self._why_silent = status, why_silent
        self._was_silent = False
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # Not the node's clock: when simulated time stands still, that is just what has to be told.
        node.create_timer(period_s, self._publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _publish(self) -> None:
        status = self._status()
        level, message = status.level, status.message
        clock = self._node.get_clock()
        if clock.ros_time_is_active and clock.now().nanoseconds == 0:
            level, message = WARN, 'use_sim_time is set, but simulated time has not begun on /clock'
            self._log_once(message)
        elif status.kind == SILENT:
            message = f'{message}: {self._why_silent()}'
            self._log_once(message)
        else:
            self._was_silent = False
        values = {**self._model(), **status.values}
        array = DiagnosticArray(status=[DiagnosticStatus(
            level=bytes([level]), message=message, hardware_id=str(self._segmenter.device),
            name=f'{self._node.get_fully_qualified_name().lstrip("/")}: image segmentation',
            values=[KeyValue(key=key, value=value) for key, value in values.items()])])
        array.header.stamp = clock.now().to_msg()
        self._publisher.publish(array)

    def _model(self) -> dict[str, str]:
        return {'model': self._segmenter.checkpoint_name, 'variant': self._segmenter.variant,
                'device': str(self._segmenter.device), 'engine': self._segmenter.engine_description,
                'resolution [px]': f'{self._segmenter.input_width}x{self._segmenter.input_height}'}

    def _log_once(self, message: str) -> None:
        if not self._was_silent:
            self._node.get_logger().warning(message)
        self._was_silent = True
