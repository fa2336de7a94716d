# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated camera: publishes a video, a folder of images, a V4L2 device or the synthetic street.

    ros2 run fanet_ros camera_node --ros-args -p source:=drive.mp4 -r image:=/camera/image_raw
"""
from __future__ import annotations

import array
import math
from typing import Optional

import cv2
import rclpy
from rclpy.duration import Duration
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.images.transport_format import COMPRESSED_SUFFIX
from fanet_ros.ros.camera.parameters import CameraSettings
from fanet_ros.ros.common.image_conversion import labels_to_image_message, rgb_to_image_message
from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.common.process import fail, ignore_signals, shut_down, start_ros
from fanet_ros.ros.common.qos_overrides import overridable_publisher, warn_of_unused_overrides
from fanet_ros.ros.common.transport_topic import remapped_topic
from fanet_ros.sources import Frame, open_source

CAMERA_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
VIEW_DEG = 60.0
SLOW_SHARE = 0.9            # warn below this share of the requested rate
RATE_WINDOW_S = 5.0
ACKNOWLEDGED_WITHIN = Duration(seconds=5)       # a subscriber that hangs must not block the shutdown


class CameraNode(FittedParameters, Node):
    """Publishes `image` or `image/compressed`, `camera_info`, and `ground_truth` for sources with labels.

    `finished` is True once the source has ended or `count` frames are published.

    :raises ValueError: a parameter is invalid, or the source cannot be opened (SourceError)
    """

    parameter_specs = CameraSettings.specs()

    def __init__(self) -> None:
        super().__init__('camera')
        self._settings = settings = CameraSettings.declare(self)
        self._jpeg = [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality] if settings.transport == 'compressed' else []
        self._source = open_source(settings.source, width=settings.width, height=settings.height, rate_hz=settings.rate_hz,
                                   loop=settings.loop, seed=settings.seed)
        self._frames = iter(self._source)
        self._images = (self._publisher(CompressedImage, remapped_topic(self, f'image{COMPRESSED_SUFFIX}')) if self._jpeg
                        else self._publisher(Image, 'image'))
        self._ground_truth = self._publisher(Image, 'ground_truth') if self._source.has_labels else None
        self._infos = self._publisher(CameraInfo, 'camera_info')
        warn_of_unused_overrides(self)
        self._published = self._window_frames = 0
        self._window_start_s: Optional[float] = None
        self.finished = False
        self.create_timer(1.0 / settings.rate_hz, self._publish_next)
        self.get_logger().info(f'publishing {self._source.name} on {self._images.topic_name} at {settings.rate_hz:g} Hz')

    def _publisher(self, message_type: type, name: str) -> Publisher:
        return overridable_publisher(self, message_type, name, CAMERA_QOS)

    def _publish_next(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            self.finished = True
            return
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._settings.frame_id)
        self._images.publish(self._compressed(frame, header) if self._jpeg else rgb_to_image_message(frame.rgb, header))
        self._infos.publish(ideal_camera_info(header, *frame.rgb.shape[:2]))
        if self._ground_truth is not None and frame.labels is not None:
            self._ground_truth.publish(labels_to_image_message(frame.labels, header))
        self._published += 1
        self.finished = self._published == self._settings.count
        self._watch_rate()

    def _compressed(self, frame: Frame, header: Header) -> CompressedImage:
        jpeg = cv2.imencode('.jpg', cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR), self._jpeg)[1]
        return CompressedImage(header=header, format='jpeg', data=array.array('B', jpeg.tobytes()))

    def _watch_rate(self) -> None:
        """Warn about a slow source. Uses the node's clock, so that a paused simulation does not count."""
        now_s = self.get_clock().now().nanoseconds * 1e-9
        if self._window_start_s is None or now_s < self._window_start_s:       # the first frame, or time restarted
            self._window_frames, self._window_start_s = 0, now_s
            return
        self._window_frames += 1
        elapsed_s = now_s - self._window_start_s
        if elapsed_s >= RATE_WINDOW_S:
            actual_hz = self._window_frames / elapsed_s
            if actual_hz < SLOW_SHARE * self._settings.rate_hz:
                self.get_logger().warning(
                    f'the source delivers only {actual_hz:.1f} of the requested {self._settings.rate_hz:g} Hz')
            self._window_frames, self._window_start_s = 0, now_s

    def close(self) -> None:
        """Wait until subscribers have received the last messages, then close the source."""
        for publisher in filter(None, (self._images, self._infos, self._ground_truth)):
            if self.finished and hasattr(publisher, 'wait_for_all_acked'):
                publisher.wait_for_all_acked(ACKNOWLEDGED_WITHIN)
        self._source.close()


def ideal_camera_info(header: Header, height: int, width: int) -> CameraInfo:
    """Assumed calibration: a pinhole camera without distortion and with a horizontal field of view of VIEW_DEG."""
    focal_px = width / 2 / math.tan(math.radians(VIEW_DEG) / 2)
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        header=header, height=height, width=width, distortion_model='plumb_bob', d=[0.0] * 5,
        k=[focal_px, 0.0, center_x, 0.0, focal_px, center_y, 0.0, 0.0, 1.0], r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal_px, 0.0, center_x, 0.0, 0.0, focal_px, center_y, 0.0, 0.0, 0.0, 1.0, 0.0])


def main(argv: Optional[list[str]] = None) -> int:
    """Run until the source ends, Ctrl-C or SIGTERM; returns the exit code, 1 if the source fails."""
    if not start_ros('camera_node', argv, SignalHandlerOptions.ALL):
        return 1
    node = None
    try:
        node = CameraNode()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not node.finished:
            executor.spin_once()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, OSError, RuntimeError, ParameterException) as error:        # SourceError is a ValueError
        if not rclpy.ok():
            pass            # shutdown was requested, which makes further ROS calls fail
        elif node is None or isinstance(error, (ValueError, OSError)):
            return fail('camera_node', error)
        else:
            raise
    finally:
        ignore_signals()
        if node is not None:
            node.close()
        shut_down()
    return 0
