# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One camera: its subscription, and what is counted of its frames."""
from __future__ import annotations

import functools
import time
from typing import Any, Callable, NamedTuple, Optional, Union

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.images.raw_image import RawImage
from fanet_ros.ros.common.image_conversion import raw_image
from fanet_ros.ros.common.qos_choice import chosen_reliability, fitting_reliability, image_qos
from fanet_ros.ros.common.rate_limit import RateLimit
from fanet_ros.ros.common.silence import MismatchWarning, heard_publishers, why_silent
from fanet_ros.ros.segmentation.diagnostics import FrameStatistics, Status, Thresholds
from fanet_ros.ros.segmentation.sequence_gaps import SequenceGaps

FOLLOW_PERIOD_S = 0.2       # how soon a publisher of another reliability is heard
# Reliability is none of them: qos_choice.py reads it.
OVERRIDABLE = QoSOverridingOptions(policy_kinds=(QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))
# Since Iron a callback may ask for the sequence number of its message.
HAS_MESSAGE_INFO = hasattr(Subscription, 'CallbackType')


class ReceivedFrame(NamedTuple):
    """An image message and when it came, by time.perf_counter()."""

    message: Union[Image, CompressedImage]
    received: float


class CameraInput:
    """Listens to `image` or `NAME/image` (`.../compressed`) from subscribe() to unsubscribe().

    The subscription is made anew when publishers come or go that need another reliability, see qos_choice.py.

    :param name: '' for the only camera
    :param put: is handed every frame, at once
    :param bit_depth: of 16-bit values; 0: found
    """

    def __init__(self, node: Node, name: str, is_compressed: bool, put: Callable[[ReceivedFrame], None],
                 bit_depth: int = 0) -> None:
        self._node, self.name, self._put = node, name, put
        self._message_type = CompressedImage if is_compressed else Image
        topic = f'{name}/image' if name else 'image'
        self._topic = f'{topic}/compressed' if is_compressed else topic
        self._raw_image = functools.partial(raw_image, bit_depth=BitDepth(bit_depth), note=self._note_once)
        self._noted: set[str] = set()
        self._gaps = SequenceGaps()
        self._subscription: Optional[Subscription] = None
        self._chosen: Optional[ReliabilityPolicy] = None
        self._reliability = ReliabilityPolicy.RELIABLE
        self._timer: Optional[Timer] = None
        self.rate_limit = RateLimit()
        self.statistics = FrameStatistics(self.now_s())

    @property
    def topic(self) -> str:
        """Full name of the topic, remapping included."""
        return self._node.resolve_topic_name(self._topic)

    def now_s(self) -> float:
        """The node's time, in seconds."""
        return self._node.get_clock().now().nanoseconds * 1e-9

    @property
    def is_subscribed(self) -> bool:
        """Whether it listens at this moment."""
        return self._subscription is not None

    def subscribe(self) -> None:
        """Begin to listen.

        :raises ValueError: a qos_overrides parameter is wrong
        """
        self.statistics.restart(self.now_s())
        self._chosen = chosen_reliability(self._node, self.topic)
        self._listen(self._fitting_qos(), follows=self._chosen is None)
        if self._chosen is None:        # not the node's clock: simulated time may stand still
            self._timer = self._node.create_timer(FOLLOW_PERIOD_S, self._follow, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def unsubscribe(self) -> None:
        """Stop listening, if it does."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def _listen(self, qos: QoSProfile, follows: bool) -> None:
        self._gaps, self._reliability = SequenceGaps(), qos.reliability
        # Who follows the publishers hears them all.
        events = None if follows else MismatchWarning(self._node, self.topic, qos).callbacks
        on_image: Callable[..., None] = self._on_image_with_info if HAS_MESSAGE_INFO else self._on_image
        self._subscription = self._node.create_subscription(
            self._message_type, self._topic, on_image, qos, event_callbacks=events, qos_overriding_options=OVERRIDABLE)

    def _follow(self) -> None:
        """Subscribe anew where the publishers that are there now want another reliability."""
        qos = self._fitting_qos()
        if self._subscription is None or qos.reliability == self._reliability:
            return
        self._node.destroy_subscription(self._subscription)
        self._listen(qos, follows=True)
        how = qos.reliability.name.lower().replace('_', ' ')
        self._node.get_logger().info(f'{self.topic} is now heard {how}, as it is published')

    def _fitting_qos(self) -> QoSProfile:
        """What a subscription would be made with now: as it was chosen, else as the publishers are."""
        if self._chosen is not None:
            return image_qos(self._chosen)
        return image_qos(fitting_reliability(self._node.get_publishers_info_by_topic(self.topic)))

    def poll(self) -> None:
        """Take what has arrived by now: for while the thread of the executor is busy with something else."""
        subscription = self._subscription
        if subscription is None:
            return
        with subscription.handle:
            while (taken := subscription.handle.take_message(self._message_type, False)) is not None:
                if HAS_MESSAGE_INFO:
                    self._on_image_with_info(*taken)
                else:
                    self._on_image(taken[0])

    def raw_image(self, message: Union[Image, CompressedImage]) -> RawImage:
        """Its pixels.

        :raises ImageError: the message cannot be read
        """
        return self._raw_image(message)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd about images that could be read, a sentence each."""
        return tuple(self._noted)

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._node.get_logger().warning(f'{self.topic}: {text}')

    def status(self, dropped: int, thresholds: Thresholds) -> Status:
        """How this camera is doing, over the last seconds."""
        return self.statistics.status(self.now_s(), dropped, thresholds)

    def why_silent(self) -> str:
        """The reason, in half a sentence, when no image comes."""
        return why_silent(self._node, self.topic, self._type_name, self._fitting_qos())

    @property
    def has_publisher(self) -> bool:
        """Whether somebody publishes what could be heard."""
        return bool(heard_publishers(self._node, self.topic, self._type_name, self._fitting_qos()))

    @property
    def _type_name(self) -> str:
        return f'sensor_msgs/msg/{self._message_type.__name__}'

    def _on_image_with_info(self, message: Union[Image, CompressedImage], info: dict[str, Any]) -> None:
        missed = self._gaps.missed_before(info['publication_sequence_number'])
        if missed and self._node.count_publishers(self.topic) != 1:
            missed = 0      # every publisher counts for itself, and nothing says whose message this is
        self._on_image(message, missed)

    def _on_image(self, message: Union[Image, CompressedImage], missed: int = 0) -> None:
        self.statistics.frame_received(self.now_s(), missed)
        received = time.perf_counter()
        if self.rate_limit.passes(received):
            self._put(ReceivedFrame(message, received))
        else:
            self.statistics.frame_skipped(self.now_s())
