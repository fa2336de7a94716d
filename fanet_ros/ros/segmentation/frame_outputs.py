# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishers for everything the node outputs for one camera."""
from __future__ import annotations

import array
import math
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Optional

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.images.stamps import stamp_ns
from fanet_ros.images.transport_format import MASK_PNG
from fanet_ros.msg import ClassCoverage, ClassMap, FrameTiming
from fanet_ros.ros.common.image_conversion import labels_to_image_message, rgb_to_image_message
from fanet_ros.ros.common.qos_overrides import overridable_publisher, overridable_subscription
from fanet_ros.ros.common.rate_limit import RateLimit
from fanet_ros.ros.common.transport_topic import compressed_output_topic, remapped_topic
from fanet_ros.ros.segmentation.camera_info import CameraInfos, scaled_camera_info
from fanet_ros.ros.segmentation.class_map_messages import LabelInfo, class_map_message, label_info_message
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.output_style import OutputStyle

OUTPUT_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
LATCHED_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
CAMERA_INFO_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
# As compressed_image_transport writes it: 'original encoding; codec compressed encoding'.
MASK_FORMATS = {'grey': MASK_PNG, 'palette': 'rgb8; png compressed bgr8'}      # image transports decode a palette to colour
JPEG_FORMAT = 'rgb8; jpeg compressed bgr8'


@dataclass(frozen=True)
class MaskTimes:
    """Times of publishing the mask in milliseconds, named as in FrameTiming.

    `frame_age_ms` is from the header's stamp until the mask is published, by the node's clock; NaN if the stamp is 0.
    """

    frame_age_ms: float
    publish_ms: float


class FrameOutputs:
    """The publishers of one camera, and the subscription to its calibration.

    Outputs without subscribers are not computed, except the latched ones: class map and label info.

    :param camera: '' for a single camera, else its name, which becomes part of the topics: `~/front/mask`
    :param camera_info_topic: topic of the camera's calibration
    :param class_map_period_s: repeat class map and label info with the first frame after this time; 0: only on change
    :raises ValueError: a qos_overrides parameter is invalid
    :raises RemappingError: an image and its compressed form have the same topic
    """

    def __init__(self, node: Node, camera: str = '', camera_info_topic: str = 'camera_info',
                 class_map_period_s: float = 0.0) -> None:
        self._node = node
        self._class_map_period_s = class_map_period_s
        self.overlay_rate_limit = RateLimit()
        self._prefix = f'~/{camera}/' if camera else '~/'
        self._announcing = threading.Lock()
        self._announced: Optional[tuple] = None
        self._announced_at = 0.0
        self._infos = CameraInfos()
        self.calibration = 'nobody subscribes to ~/camera_info'     # what happened to it for the last frame, for diagnostics
        with ExitStack() as created:        # none stays if one is refused
            self._created = created
            self._advertise()
            self._subscription = overridable_subscription(node, CameraInfo, camera_info_topic, self._infos.put, CAMERA_INFO_QOS)
            created.callback(node.destroy_subscription, self._subscription)
            self._created = created.pop_all()

    @property
    def mask_topic(self) -> str:
        return self._mask.topic_name

    @property
    def wants_confidence(self) -> bool:
        """Whether an output that needs Segmentation.confidence has subscribers."""
        return _is_wanted(self._confidence) or _is_wanted(self._confidence_png)

    def wants_overlay(self, now_s: float) -> bool:
        """Whether to draw the overlay of a frame: it has subscribers, raw or as JPEG, and its rate limit lets the frame pass.

        :param now_s: by a monotonic clock
        """
        return (_is_wanted(self._overlay) or _is_wanted(self._overlay_jpeg)) and self.overlay_rate_limit.passes(now_s)

    @property
    def has_subscribers(self) -> bool:
        """Whether any output that is computed from images has subscribers."""
        return any(map(_is_wanted, self._of_images))

    def announce(self, style: OutputStyle, header: Optional[Header] = None) -> None:
        """Publish class map and label info if they changed or a repetition is due. publish_mask() calls this.

        :param header: of the first frame in this style; None before the first frame
        """
        if header is None:
            header = Header(stamp=self._node.get_clock().now().to_msg())
        with self._announcing:
            content = style.class_map.name, style.table.classes
            now = time.monotonic()      # not the node's clock, which may be paused
            due = self._class_map_period_s and now - self._announced_at >= self._class_map_period_s
            if content == self._announced and not due:
                return
            self._announced_at = now
            self._class_map.publish(class_map_message(*content, header))
            if self._label_info is not None:
                self._label_info.publish(label_info_message(style.table.classes, header))
            self._announced = content

    def publish_mask(self, layers: FrameLayers, header: Header, style: OutputStyle) -> MaskTimes:
        """Publish the class map if due, then the mask if it has subscribers.

        :param header: of the camera's image, copied verbatim
        """
        start = time.perf_counter()
        self.announce(style, header)        # first, so that receivers of the mask know its classes
        if _is_wanted(self._mask):
            self._mask.publish(labels_to_image_message(layers.mask, header))
        stamp = stamp_ns(header)
        age_ms = (self._node.get_clock().now().nanoseconds - stamp) / 1e6 if stamp else math.nan
        return MaskTimes(age_ms, (time.perf_counter() - start) * 1e3)

    def publish_other_outputs(self, layers: FrameLayers, header: Header, style: OutputStyle) -> float:
        """Publish the other outputs that have subscribers, except timing; returns the milliseconds spent on the overlay."""
        self._publish_details(layers, header, style)
        return self._publish_overlay(layers, header)

    def publish_timing(self, timing: FrameTiming) -> None:
        """Publish the times of a frame; call after all its other outputs."""
        self._timing.publish(timing)

    def destroy(self) -> None:
        self._created.close()

    def _advertise(self) -> None:
        self._mask = self._publisher(Image, 'mask')
        self._mask_png = self._publisher(CompressedImage, 'mask/compressed')
        self._confidence = self._publisher(Image, 'confidence')
        self._confidence_png = self._publisher(CompressedImage, 'confidence/compressed')
        self._coverage = self._publisher(ClassCoverage, 'coverage')
        self._overlay = self._publisher(Image, 'overlay')
        self._overlay_jpeg = self._publisher(CompressedImage, 'overlay/compressed')
        self._camera_info = self._publisher(CameraInfo, 'camera_info')
        self._timing = self._publisher(FrameTiming, 'timing')
        self._of_images = (self._mask, self._mask_png, self._confidence, self._confidence_png, self._coverage,
                           self._overlay, self._overlay_jpeg, self._camera_info, self._timing)
        self._class_map = self._publisher(ClassMap, 'class_map', LATCHED_QOS)
        self._label_info = self._publisher(LabelInfo, 'label_info', LATCHED_QOS) if LabelInfo is not None else None

    def _publisher(self, message_type: type, name: str, qos: QoSProfile = OUTPUT_QOS) -> Publisher:
        topic = (compressed_output_topic if message_type is CompressedImage else remapped_topic)(self._node, self._prefix + name)
        publisher = overridable_publisher(self._node, message_type, topic, qos)
        self._created.callback(self._node.destroy_publisher, publisher)
        return publisher

    def _publish_details(self, layers: FrameLayers, header: Header, style: OutputStyle) -> None:
        """Publish confidence, calibration, coverage, and the PNG files of mask and confidence."""
        if _is_wanted(self._confidence) and layers.confidence is not None:
            self._confidence.publish(labels_to_image_message(layers.confidence, header))
        if _is_wanted(self._camera_info):
            info = self._infos.find(header, *layers.frame_size)
            self.calibration = 'scaled to the mask' if info is not None else self._infos.rejection_reason(
                header, *layers.frame_size, self._subscription.topic_name)
            if info is not None:
                self._camera_info.publish(scaled_camera_info(info, header, *layers.mask_size))
        if _is_wanted(self._coverage):
            classes = style.table.classes
            self._coverage.publish(ClassCoverage(
                header=header, ids=[item.value for item in classes], names=[item.name for item in classes],
                shares=layers.coverage))
        if _is_wanted(self._mask_png):
            self._mask_png.publish(_file(header, MASK_FORMATS[style.mask_png], layers.mask_png))
        if layers.confidence is not None and _is_wanted(self._confidence_png):
            self._confidence_png.publish(_file(header, MASK_PNG, layers.confidence_png))

    def _publish_overlay(self, layers: FrameLayers, header: Header) -> float:
        """Draw and publish the overlay if the frame is to have one; returns the time taken in ms."""
        if not layers.has_overlay:
            return 0.0
        start = time.perf_counter()
        if _is_wanted(self._overlay):
            self._overlay.publish(rgb_to_image_message(layers.overlay, header))
        if _is_wanted(self._overlay_jpeg):
            self._overlay_jpeg.publish(_file(header, JPEG_FORMAT, layers.overlay_jpeg))
        return (time.perf_counter() - start) * 1e3


def _file(header: Header, described: str, content: bytes) -> CompressedImage:
    return CompressedImage(header=header, format=described, data=array.array('B', content))


def _is_wanted(publisher: Publisher) -> bool:
    return publisher.get_subscription_count() > 0
