"""The segmentation node: camera image in, class mask out.

A frame's way: image message -> image_to_rgb -> preprocess -> FANet -> postprocess -> Segmentation -> mask, overlay, timing.
The executor's thread only receives; one worker thread segments the newest frame.
"""
from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import NamedTuple, Optional, Union

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.signals import SignalHandlerOptions
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.inference import Segmentation, SegmentationError, Segmenter, draw_overlay
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.diagnostics import ERROR, FrameStatistics, FrameTimes
from fanet_ros.ros.frame_slot import FrameSlot
from fanet_ros.ros.image_conversion import (
    ImageError, compressed_to_rgb, image_to_rgb, labels_to_image_message, rgb_to_image_message)
from fanet_ros.ros.parameters import SEGMENTATION_PARAMETERS, declare

IMAGE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
OUTPUT_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
LOG_PERIOD_S = 1.0


class ReceivedFrame(NamedTuple):
    """An image message and when it came, by time.perf_counter()."""

    message: Union[Image, CompressedImage]
    received: float


class SegmentationNode(Node):
    """Subscribes to `image`, publishes `~/mask`, `~/confidence`, `~/overlay`, `~/timing` and `/diagnostics`.

    :raises ValueError: a parameter, the checkpoint, the resolution or the device cannot be used (SegmentationError)
    """

    def __init__(self) -> None:
        super().__init__('segmentation')
        values = declare(self, SEGMENTATION_PARAMETERS)
        self._overlay_alpha = float(values['overlay_alpha'])
        self._no_image_warning_s = float(values['no_image_warning_s'])
        self.segmenter = Segmenter.from_checkpoint(
            values['checkpoint'], device=values['device'], input_height=values['input_height'],
            input_width=values['input_width'], class_map=values['class_map'], variant=values['variant'],
            num_threads=values['num_threads'])
        self._palette = self.segmenter.class_map.palette()
        self._statistics = FrameStatistics(self._now_s())
        self._slot: FrameSlot[ReceivedFrame] = FrameSlot()
        self._publish_topics()
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._subscribe(str(values['image_transport']))
        self.create_timer(float(values['diagnostics_period_s']), self._publish_diagnostics)
        self._worker = threading.Thread(target=self._work, name='segmentation', daemon=True)
        self._worker.start()
        self.get_logger().info(f'segmenting {self._images.topic_name} with {self.segmenter.description}')

    def close(self) -> None:
        """Stop the worker; the frame it is on is finished first."""
        self._slot.close()
        self._worker.join()

    def _publish_topics(self) -> None:
        overrides = QoSOverridingOptions.with_default_policies()

        def publisher(message_type: type, topic: str):
            return self.create_publisher(message_type, topic, OUTPUT_QOS, qos_overriding_options=overrides)

        self._mask = publisher(Image, '~/mask')
        self._confidence = publisher(Image, '~/confidence')
        self._overlay = publisher(Image, '~/overlay')
        self._timing = publisher(FrameTiming, '~/timing')
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)

    def _subscribe(self, transport: str) -> None:
        message_type, topic = (CompressedImage, 'image/compressed') if transport == 'compressed' else (Image, 'image')
        self._to_rgb = compressed_to_rgb if transport == 'compressed' else image_to_rgb
        self._images = self.create_subscription(
            message_type, topic, self._on_image, IMAGE_QOS,
            qos_overriding_options=QoSOverridingOptions.with_default_policies())

    def _on_image(self, message: Union[Image, CompressedImage]) -> None:
        self._statistics.frame_received(self._now_s())
        self._slot.put(ReceivedFrame(message, time.perf_counter()))

    def _work(self) -> None:
        while (frame := self._slot.take()) is not None:
            try:
                self._segment(frame)
            except ImageError as error:
                self._reject(frame, error.args[0], 'undecodable image')
            except Exception as error:      # one bad frame must not end a node that a robot relies on
                if rclpy.ok():
                    self._reject(frame, f'{type(error).__name__}: {error}', 'segmentation failed', ERROR)

    def _segment(self, frame: ReceivedFrame) -> None:
        taken = time.perf_counter()
        rgb = self._to_rgb(frame.message)
        converted = time.perf_counter()
        segmentation = self.segmenter.segment(rgb, confidence=self._confidence.get_subscription_count() > 0)
        segmented = time.perf_counter()
        header = frame.message.header
        self._mask.publish(labels_to_image_message(segmentation.labels, header))
        if segmentation.confidence is not None:
            self._confidence.publish(labels_to_image_message(segmentation.confidence, header))
        age_ms = (self.get_clock().now() - Time.from_msg(header.stamp, self.get_clock().clock_type)).nanoseconds / 1e6
        published = time.perf_counter()
        has_overlay = self._overlay.get_subscription_count() > 0
        if has_overlay:
            picture = draw_overlay(rgb, segmentation.labels, self._palette, self._overlay_alpha)
            self._overlay.publish(rgb_to_image_message(picture, header))
        end = time.perf_counter()
        self._report(frame, segmentation, FrameTimes(
            frame_age_ms=age_ms, wait_ms=(taken - frame.received) * 1e3, convert_ms=(converted - taken) * 1e3,
            **asdict(segmentation.times), publish_ms=(published - segmented) * 1e3,
            overlay_ms=(end - published) * 1e3 if has_overlay else 0.0, total_ms=(end - frame.received) * 1e3))

    def _report(self, frame: ReceivedFrame, segmentation: Segmentation, times: FrameTimes) -> None:
        statistics = self._statistics
        statistics.frame_segmented(self._now_s(), times)
        self._timing.publish(FrameTiming(
            header=frame.message.header, input_height=segmentation.input_height, input_width=segmentation.input_width,
            frames_received=statistics.received, frames_segmented=statistics.segmented,
            frames_dropped=self._slot.dropped, frames_rejected=sum(statistics.rejected.values()), **asdict(times)))

    def _reject(self, frame: ReceivedFrame, reason: str, kind: str, level: Optional[int] = None) -> None:
        kind = f'{kind} ({getattr(frame.message, "encoding", "compressed")})'
        self._statistics.frame_rejected(self._now_s(), kind, reason, *([] if level is None else [level]))
        self.get_logger().warning(f'frame rejected: {reason}', throttle_duration_sec=LOG_PERIOD_S)

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        """Apply a change as a whole or refuse it as a whole, with the reason."""
        changed = {parameter.name: parameter.value for parameter in parameters}
        if changed.keys() & {'input_height', 'input_width'}:
            height, width = (changed.get(name, self.get_parameter(name).value)
                             for name in ('input_height', 'input_width'))
            try:
                self.segmenter.set_input_size(height, width)
            except SegmentationError as error:
                return SetParametersResult(successful=False, reason=str(error))
            self.get_logger().info(f'now segmenting with {self.segmenter.description}')
        self._overlay_alpha = changed.get('overlay_alpha', self._overlay_alpha)
        self._no_image_warning_s = changed.get('no_image_warning_s', self._no_image_warning_s)
        return SetParametersResult(successful=True)

    def _publish_diagnostics(self) -> None:
        status = self._statistics.status(self._now_s(), self._slot.dropped, self._no_image_warning_s)
        message = status.message
        if message.startswith('no image') and not self.count_publishers(self._images.topic_name):
            message += f': nobody publishes {self._images.topic_name}'
        if message.startswith('no image'):
            self.get_logger().warning(message, throttle_duration_sec=30.0)
        values = {'model': self.segmenter.checkpoint_name, 'variant': self.segmenter.variant,
                  'resolution [px]': f'{self.segmenter.input_height}x{self.segmenter.input_width}', **status.values}
        array = DiagnosticArray(status=[DiagnosticStatus(
            level=bytes([status.level]), name=f'{self.get_fully_qualified_name().lstrip("/")}: segmentation',
            message=message, hardware_id=str(self.segmenter.device),
            values=[KeyValue(key=key, value=value) for key, value in values.items()])])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9


def main(argv: Optional[list[str]] = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; returns the exit code, 1 when it could not start."""
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.ALL)
    node = None
    try:
        node = SegmentationNode()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (ValueError, ParameterException) as error:
        print(f'segmentation_node: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)        # a second Ctrl-C must not tear the shutdown apart
        if node is not None and hasattr(node, '_worker'):
            node.close()
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
