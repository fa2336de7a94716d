"""The segmentation node: camera image in, class mask out.

A frame's way:
sensor_msgs/Image -> image_to_rgb -> preprocess -> FANet -> postprocess -> Segmentation -> mask, overlay, timing
The executor's thread only receives; one worker thread segments the newest frame.
"""
from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import asdict, replace
from typing import Any, NamedTuple, Optional, Union

import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.inference import Segmentation, Segmenter
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.camera_info import camera_info_topic
from fanet_ros.ros.diagnostics import ERROR, WARN, FrameStatistics, FrameTimes, Status
from fanet_ros.ros.diagnostics_publisher import DiagnosticsPublisher
from fanet_ros.ros.frame_outputs import FrameOutputs
from fanet_ros.ros.frame_slot import FrameSlot
from fanet_ros.ros.image_conversion import ImageError, compressed_to_rgb, image_to_rgb
from fanet_ros.ros.output_style import OutputStyle
from fanet_ros.ros.process_end import fail, shut_down
from fanet_ros.ros.qos_mismatch import MismatchWarning
from fanet_ros.ros.segmentation_parameters import SegmentationSettings, declare_settings
from fanet_ros.ros.sequence_gaps import SequenceGaps
from fanet_ros.ros.silence import why_silent

IMAGE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LOG_PERIOD_S = 1.0
# Since Iron a callback may ask for the sequence number of its message.
HAS_MESSAGE_INFO = hasattr(Subscription, 'CallbackType')


class ReceivedFrame(NamedTuple):
    """An image message and when it came, by time.perf_counter()."""

    message: Union[Image, CompressedImage]
    received: float


class SegmentationNode(Node):
    """Subscribes to `image`, publishes `~/mask`, `~/confidence`, `~/overlay`, `~/timing` and `/diagnostics`.

    :raises ValueError: a parameter, the checkpoint, the resolution or the device cannot be used
    :raises rclpy.exceptions.ParameterException: a parameter has the wrong type or is out of its range
    """

    def __init__(self) -> None:
        super().__init__('segmentation')
        self._settings = settings = declare_settings(self)
        self.segmenter = Segmenter.from_checkpoint(
            settings.checkpoint, device=settings.device, input_height=settings.input_height,
            input_width=settings.input_width, class_map=settings.class_map, variant=settings.variant,
            num_threads=settings.num_threads, engine=settings.engine, precision=settings.precision,
            calibration_images=settings.calibration_images)
        self._statistics = FrameStatistics(self._now_s())
        self._gaps = SequenceGaps()
        self._slot: FrameSlot[ReceivedFrame] = FrameSlot()
        self._style = self._output_style(settings)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._subscribe(is_compressed=settings.image_transport == 'compressed')
        self._outputs = FrameOutputs(
            self, camera_info_topic=camera_info_topic(self, self._images.topic_name),
            class_map_period_s=settings.class_map_period_s)
        self._outputs.announce(self._style)
        self._diagnostics = DiagnosticsPublisher(
            self, self.segmenter, settings.diagnostics_period_s, self._status,
            lambda: why_silent(self, self._images, self._image_type, IMAGE_QOS))
        self._worker = threading.Thread(target=self._work, name='segmentation', daemon=True)
        self._worker.start()
        self.get_logger().info(f'segmenting {self._images.topic_name} with {self.segmenter.description}, '
                               f'mask on {self._outputs.mask_topic}')

    def close(self) -> None:
        """Stop the worker; the frame it is on is finished first."""
        self._slot.close()
        self._worker.join()

    def _output_style(self, settings: SegmentationSettings) -> OutputStyle:
        return OutputStyle.of(self.segmenter.class_map, settings)

    def _subscribe(self, is_compressed: bool) -> None:
        message_type, topic = (CompressedImage, 'image/compressed') if is_compressed else (Image, 'image')
        self._image_type = f'sensor_msgs/msg/{message_type.__name__}'
        self._to_rgb = compressed_to_rgb if is_compressed else image_to_rgb
        warning = MismatchWarning(self, self.resolve_topic_name(topic), IMAGE_QOS)
        self._images = self.create_subscription(
            message_type, topic, self._on_image_with_info if HAS_MESSAGE_INFO else self._on_image, IMAGE_QOS,
            event_callbacks=warning.callbacks, qos_overriding_options=QoSOverridingOptions.with_default_policies())

    def _on_image_with_info(self, message: Union[Image, CompressedImage], info: dict[str, Any]) -> None:
        missed = self._gaps.missed_before(info['publication_sequence_number'])
        if missed and self.count_publishers(self._images.topic_name) != 1:
            missed = 0      # every publisher counts for itself, and nothing says whose message this is
        self._on_image(message, missed)

    def _on_image(self, message: Union[Image, CompressedImage], missed: int = 0) -> None:
        self._statistics.frame_received(self._now_s(), missed)
        self._slot.put(ReceivedFrame(message, time.perf_counter()))

    def _work(self) -> None:
        while (frame := self._slot.take()) is not None:
            try:
                self._segment(frame)
            except ImageError as error:
                self._statistics.frame_rejected(self._now_s(), error.kind, str(error), WARN)
                self.get_logger().warning(f'frame rejected: {error}', throttle_duration_sec=LOG_PERIOD_S)
            except Exception as error:      # one bad frame must not end a node that a robot relies on
                if self.context.ok():       # else the node is ending, and publishing has become impossible
                    reason = f'{type(error).__name__}: {error}'
                    self._statistics.frame_rejected(self._now_s(), 'segmentation failed', reason, ERROR)
                    self.get_logger().error(f'frame failed: {reason}', throttle_duration_sec=LOG_PERIOD_S)

    def _segment(self, frame: ReceivedFrame) -> None:
        taken = time.perf_counter()
        rgb = self._to_rgb(frame.message)
        converted = time.perf_counter()
        header = frame.message.header
        segmentation = self.segmenter.segment(
            rgb, confidence=self._outputs.wants_confidence, stamp_s=header.stamp.sec + header.stamp.nanosec * 1e-9)
        times = self._outputs.publish(rgb, segmentation, header, self._style)
        end = time.perf_counter()
        self._report(frame, segmentation, FrameTimes(
            wait_ms=(taken - frame.received) * 1e3, convert_ms=(converted - taken) * 1e3,
            **asdict(segmentation.times), **asdict(times), total_ms=(end - frame.received) * 1e3))

    def _report(self, frame: ReceivedFrame, segmentation: Segmentation, times: FrameTimes) -> None:
        statistics = self._statistics
        statistics.frame_segmented(self._now_s(), times)
        self._outputs.publish_timing(FrameTiming(
            header=frame.message.header, input_height=segmentation.input_height,
            input_width=segmentation.input_width, frames_received=statistics.received,
            frames_segmented=statistics.segmented, frames_dropped=self._dropped(),
            frames_rejected=sum(statistics.rejected.values()), **asdict(times)))

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        """Apply a change as a whole or refuse it as a whole, with the reason."""
        names = asdict(self._settings).keys()
        settings = replace(self._settings, **{
            parameter.name: parameter.value for parameter in parameters if parameter.name in names})
        try:
            style = self._output_style(settings)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        size = settings.input_height, settings.input_width
        if size != (self._settings.input_height, self._settings.input_width):
            try:
                self.segmenter.set_input_size(*size)
            except Exception as error:      # whatever the network raises, the new size does not work
                return SetParametersResult(successful=False, reason=' '.join(str(error).split()))
            self.get_logger().info(f'now segmenting with {self.segmenter.description}')
        self._settings, self._style = settings, style
        return SetParametersResult(successful=True)

    def _dropped(self) -> int:
        return self._slot.dropped + self._statistics.missed

    def _status(self) -> Status:
        return self._statistics.status(self._now_s(), self._dropped(), self._settings.no_image_warning_s)

    def _now_s(self) -> float:
        return self.get_clock().now().nanoseconds * 1e-9


def main(argv: Optional[list[str]] = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; returns the exit code, 1 when it could not start."""
    try:
        rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.ALL)
    except RuntimeError as error:       # arguments that ROS does not understand
        return fail('segmentation_node', error)
    node = None
    try:
        node = SegmentationNode()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, RuntimeError, ParameterException) as error:
        if not rclpy.ok():
            pass            # it was told to end, which makes whatever it was about to do impossible
        elif node is None:
            return fail('segmentation_node', error)
        else:
            raise           # it had started: this is no wrong setting but a fault, and every detail matters
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)        # a second Ctrl-C must not tear the shutdown apart
        if node is not None:
            node.close()
        shut_down()
    return 0


if __name__ == '__main__':
    sys.exit(main())
