# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One camera: its image subscription and frame statistics."""
from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Callable, NamedTuple, Optional, Union

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.images.raw_image import RawImage
from fanet_ros.images.strict_jpeg import Suffices
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX
from fanet_ros.ros.common.diagnostics_text import IMAGE_TOPIC
from fanet_ros.ros.common.image_conversion import raw_image
from fanet_ros.ros.common.qos_choice import chosen_reliability, fitting_reliability, image_qos
from fanet_ros.ros.common.qos_overrides import named_errors
from fanet_ros.ros.common.rate_limit import RateLimit
from fanet_ros.ros.common.silence import MismatchWarning, heard_publishers, why_silent
from fanet_ros.ros.common.transport_topic import remapped_topic
from fanet_ros.ros.segmentation.camera_depth import CameraDepth
from fanet_ros.ros.segmentation.diagnostics import FrameStatistics, Status, Thresholds
from fanet_ros.ros.segmentation.sequence_gaps import SequenceGaps

FOLLOW_PERIOD_S = 0.2       # how often the publishers are looked at
# Without reliability, which qos_choice.py reads.
OVERRIDABLE = QoSOverridingOptions(policy_kinds=(QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))
# Since Iron, callbacks can receive the message info, which has the sequence number.
HAS_MESSAGE_INFO = hasattr(Subscription, 'CallbackType')


class ReceivedFrame(NamedTuple):
    """An image message and its arrival time by time.perf_counter(), in seconds."""

    message: Union[Image, CompressedImage]
    received: float


class CameraInput:
    """Subscription to `image` or `NAME/image` (`.../compressed`), from subscribe() to unsubscribe().

    Resubscribes when the publishers change and need another reliability, see qos_choice.py.

    :param name: '' for a single camera
    :param put: called with every frame on arrival
    :param bit_depth: of 16-bit values; 0: derived from the values
    """

    def __init__(self, node: Node, name: str, is_compressed: bool, put: Callable[[ReceivedFrame], None],
                 bit_depth: int = 0) -> None:
        self._node, self.name, self._put = node, name, put
        self._message_type = CompressedImage if is_compressed else Image
        topic = f'{name}/image' if name else 'image'
        self.topic = remapped_topic(node, topic + COMPRESSED_SUFFIX if is_compressed else topic)
        self._depth = CameraDepth(bit_depth)
        self._noted: set[str] = set()
        self._gaps = SequenceGaps()
        self._subscription: Optional[Subscription] = None
        self._chosen: Optional[ReliabilityPolicy] = None
        self._reliability = ReliabilityPolicy.RELIABLE
        self._timer: Optional[Timer] = None
        self.rate_limit = RateLimit()
        self.statistics = FrameStatistics(self.now_s())

    def now_s(self) -> float:
        return self._node.get_clock().now().nanoseconds * 1e-9

    @property
    def is_subscribed(self) -> bool:
        return self._subscription is not None

    def subscribe(self) -> None:
        """Subscribe and start a new statistics window.

        :raises ValueError: a qos_overrides parameter is invalid
        """
        self.statistics.restart(self.now_s())
        self._chosen = chosen_reliability(self._node, self.topic)
        self._listen(self._fitting_qos(), follows=self._chosen is None)
        # Not the node's clock: simulated time may be paused.
        self._timer = self._node.create_timer(FOLLOW_PERIOD_S, self._follow, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def unsubscribe(self) -> None:
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _listen(self, qos: QoSProfile, follows: bool) -> None:
        self._gaps, self._reliability = SequenceGaps(), qos.reliability
        # Following the publishers' reliability, no mismatch is possible.
        events = None if follows else MismatchWarning(self._node, self.topic, qos).callbacks
        on_image: Callable[..., None] = self._on_image_with_info if HAS_MESSAGE_INFO else self._on_image
        with named_errors(self._node, self.topic, 'subscription'):
            self._subscription = self._node.create_subscription(
                self._message_type, self.topic, on_image, qos, event_callbacks=events, qos_overriding_options=OVERRIDABLE)

    def _follow(self) -> None:
        """Adapt bit depth, and reliability unless chosen, to the current publishers; without any, stay ready for the last ones."""
        self._depth.follow(self._node.get_publishers_info_by_topic(self.topic))
        if self._chosen is not None:
            return
        qos = self._fitting_qos()
        if self._subscription is None or qos.reliability == self._reliability or not self._node.count_publishers(self.topic):
            return
        self._node.destroy_subscription(self._subscription)
        self._listen(qos, follows=True)
        how = qos.reliability.name.lower().replace('_', ' ')
        self._node.get_logger().info(f'{self.topic}: subscription is now {how}, to match the publishers')

    def _fitting_qos(self) -> QoSProfile:
        """QoS for a new subscription: as configured, else to match the current publishers."""
        if self._chosen is not None:
            return image_qos(self._chosen)
        return image_qos(fitting_reliability(self._node.get_publishers_info_by_topic(self.topic)))

    def poll(self) -> None:
        """Take all messages that have arrived, while the executor's thread is busy with something else."""
        subscription = self._subscription
        if subscription is None:
            return
        with subscription.handle:
            while (taken := subscription.handle.take_message(self._message_type, False)) is not None:
                if HAS_MESSAGE_INFO:
                    self._on_image_with_info(*taken)
                else:
                    self._on_image(taken[0])

    def raw_image(self, message: Union[Image, CompressedImage],
                  suffices: Optional[Suffices] = None) -> RawImage:
        """Pixels of `message`.

        :param suffices: see compressed_image()
        :raises ImageError: the message cannot be decoded
        """
        return raw_image(message, bit_depth=self._depth.of(message), note=self._note_once, suffices=suffices)

    @property
    def notes(self) -> tuple[str, ...]:
        """Issues with images that could still be decoded, one sentence each."""
        return tuple(self._noted)

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._node.get_logger().warning(f'{self.topic}: {text}')

    def status(self, dropped: int, thresholds: Thresholds) -> Status:
        """Diagnostic status over the last WINDOW_S seconds.

        :param dropped: frames that the node replaced by newer ones since the start
        """
        status = self.statistics.status(self.now_s(), dropped, thresholds)
        return replace(status, values={IMAGE_TOPIC: self.topic, **status.values})

    def why_silent(self) -> str:
        """Short reason why no image arrives."""
        return why_silent(self._node, self.topic, self.type_name, self._fitting_qos())

    @property
    def has_publisher(self) -> bool:
        """Whether there is a publisher with compatible type and QoS."""
        return bool(heard_publishers(self._node, self.topic, self.type_name, self._fitting_qos()))

    @property
    def type_name(self) -> str:
        """Type of the messages, such as sensor_msgs/msg/Image."""
        return f'sensor_msgs/msg/{self._message_type.__name__}'

    def _on_image_with_info(self, message: Union[Image, CompressedImage], info: dict[str, Any]) -> None:
        missed = self._gaps.missed_before(info['publication_sequence_number'])
        if missed and self._node.count_publishers(self.topic) != 1:
            missed = 0      # each publisher numbers its own messages, and the info does not say which one sent this
        self._on_image(message, missed)

    def _on_image(self, message: Union[Image, CompressedImage], missed: int = 0) -> None:
        self.statistics.frame_received(self.now_s(), missed)
        received = time.perf_counter()
        if self.rate_limit.passes(received):
            self._put(ReceivedFrame(message, received))
        else:
            self.statistics.frame_skipped(self.now_s())
