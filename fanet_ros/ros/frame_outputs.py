"""All that the node publishes for the frames of one camera."""
from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.inference import Segmentation, draw_overlay
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.image_conversion import labels_to_image_message, rgb_to_image_message
from fanet_ros.ros.output_style import OutputStyle

OUTPUT_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)


@dataclass(frozen=True)
class OutputTimes:
    """What publishing one frame took, by the names of FrameTiming, in milliseconds.

    `frame_age_ms` is from the header's stamp to the mask published, by the node's clock.
    """

    frame_age_ms: float
    publish_ms: float
    overlay_ms: float


class FrameOutputs:
    """The publishers of one camera: `~/mask`, `~/confidence`, `~/overlay` and `~/timing`.

    :param camera: '' for the only camera, else its name, which comes in between: `~/front/mask`
    """

    def __init__(self, node: Node, camera: str = '') -> None:
        self._node = node
        self._prefix = f'~/{camera}/' if camera else '~/'
        self._mask = self._publisher(Image, 'mask')
        self._confidence = self._publisher(Image, 'confidence')
        self._overlay = self._publisher(Image, 'overlay')
        self._timing = self._publisher(FrameTiming, 'timing')

    @property
    def mask_topic(self) -> str:
        """Full name of the topic of the masks."""
        return self._mask.topic_name

    @property
    def wants_confidence(self) -> bool:
        """Whether somebody subscribes to what needs Segmentation.confidence."""
        return self._confidence.get_subscription_count() > 0

    def publish(self, rgb: np.ndarray, segmentation: Segmentation, header: Header, style: OutputStyle) -> OutputTimes:
        """Publish all that somebody subscribes to, under one header.

        :param rgb: the frame, (H, W, 3) uint8, of the size of `segmentation`
        :param header: that of the camera's image, passed on verbatim
        """
        start = time.perf_counter()
        self._mask.publish(labels_to_image_message(segmentation.labels, header))
        # By hand: a stamp that rclpy's Time refuses is no reason to refuse the image.
        stamp_ns = header.stamp.sec * 10**9 + header.stamp.nanosec
        age_ms = (self._node.get_clock().now().nanoseconds - stamp_ns) / 1e6
        published = time.perf_counter()
        if segmentation.confidence is not None:
            self._confidence.publish(labels_to_image_message(segmentation.confidence, header))
        overlay_ms = self._publish_overlay(rgb, segmentation, header, style)
        return OutputTimes(age_ms, (published - start) * 1e3, overlay_ms)

    def publish_timing(self, timing: FrameTiming) -> None:
        """Publish the times of the frame, once all else of it is out."""
        self._timing.publish(timing)

    def destroy(self) -> None:
        """Take the publishers off the node."""
        for publisher in (self._mask, self._confidence, self._overlay, self._timing):
            self._node.destroy_publisher(publisher)

    def _publisher(self, message_type: type, name: str) -> Publisher:
        return self._node.create_publisher(message_type, self._prefix + name, OUTPUT_QOS,
                                           qos_overriding_options=QoSOverridingOptions.with_default_policies())

    def _publish_overlay(
            self, rgb: np.ndarray, segmentation: Segmentation, header: Header, style: OutputStyle) -> float:
        """Draw and publish the overlay if somebody wants it; returns how many milliseconds that took."""
        if not self._overlay.get_subscription_count():
            return 0.0
        start = time.perf_counter()
        overlay = draw_overlay(rgb, segmentation.labels, style.class_map.palette(), style.overlay_alpha)
        self._overlay.publish(rgb_to_image_message(overlay, header))
        return (time.perf_counter() - start) * 1e3
