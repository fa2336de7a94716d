# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions for one camera: its images, masks, confidence, timing and classes, as far as viewers request them."""
from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.images.stamps import stamp_ns
from fanet_ros.msg import ClassMap, FrameTiming
from fanet_ros.ros.common.qos_choice import fitting_reliability, image_qos
from fanet_ros.ros.common.rate_limit import RateLimit
from fanet_ros.ros.dashboard.frame_hub import FrameHub
from fanet_ros.ros.dashboard.frame_join import FrameJoin
from fanet_ros.ros.dashboard.other_version import why_unreadable
from fanet_ros.ros.dashboard.timing_log import TimingLog

LATCHED_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
OWN_TYPES = {'fanet_ros/msg/FrameTiming': FrameTiming, 'fanet_ros/msg/ClassMap': ClassMap}
TYPES = {'sensor_msgs/msg/Image': Image, 'sensor_msgs/msg/CompressedImage': CompressedImage, **OWN_TYPES}


@dataclass(frozen=True)
class SubscriptionSpec:
    """Properties of a subscription; it is recreated when they change."""

    topic: str
    type_name: str
    reliability: ReliabilityPolicy


class CameraFeed:
    """Receives the messages of one camera in the ROS thread; other threads may use only `hub` and `timing`.

    :param prefix: prefix of the node's topics for this camera, '/segmentation/' or '/segmentation/front/'
    :param max_rate_hz: maximum rate of frames passed to `hub`, 0: no limit
    :param notify: called when a frame or class map is available
    """

    def __init__(self, node: Node, prefix: str, hub: FrameHub, max_rate_hz: float, notify: Callable[[], None]) -> None:
        self._node, self._prefix, self._notify = node, prefix, notify
        self.hub, self.timing = hub, TimingLog()
        self.classes: Optional[dict[str, Any]] = None
        self.problems: dict[str, str] = {}          # one line each, by topic
        self._join = FrameJoin()
        self._rate_limit = RateLimit(max_rate_hz)
        self._layers: frozenset[str] = frozenset()
        self._subscribed: dict[str, tuple[SubscriptionSpec, Subscription]] = {}

    def follow(self, layers: frozenset[str], image_topic: Optional[tuple[str, str]]) -> None:
        """Subscribe to exactly `layers`, timing and class map; call again whenever publishers may have changed.

        :param image_topic: topic and type of the camera's images, None if unknown
        """
        wanted = {name: (f'{self._prefix}{name}', 'sensor_msgs/msg/Image') for name in layers - {'camera'}}
        wanted['timing'] = f'{self._prefix}timing', 'fanet_ros/msg/FrameTiming'
        wanted['class_map'] = f'{self._prefix}class_map', 'fanet_ros/msg/ClassMap'
        if 'camera' in layers and image_topic is not None:
            wanted['camera'] = image_topic
        for name in self._subscribed.keys() - wanted.keys():
            self._unsubscribe(name)
        problems = {topic: self._ensure_subscribed(name, topic, type_name) for name, (topic, type_name) in wanted.items()}
        self.problems = {topic: problem for topic, problem in problems.items() if problem}
        self._layers = frozenset(self._subscribed) & {'mask', 'confidence', 'camera'}

    def close(self) -> None:
        """Unsubscribe from everything and drop the stored frames."""
        for name in list(self._subscribed):
            self._unsubscribe(name)
        self._layers = frozenset()
        self._join.clear()
        self.hub.offer(None)

    def _ensure_subscribed(self, name: str, topic: str, type_name: str) -> str:
        """Subscribe unless already subscribed; returns the reason if that is impossible, otherwise ''."""
        publishers = self._node.get_publishers_info_by_topic(topic)
        problem = why_unreadable(topic, type_name, publishers)
        if problem:
            if name in self._subscribed:
                self._unsubscribe(name)
            return problem
        wanted = SubscriptionSpec(topic, type_name, fitting_reliability(publishers))
        if name in self._subscribed:
            if self._subscribed[name][0] == wanted:
                return ''
            self._unsubscribe(name)
        callbacks: dict[str, Callable[[Any], None]] = {'timing': self._on_timing, 'class_map': self._on_class_map}
        callback = callbacks.get(name, functools.partial(self._on_image, name))
        qos = {'class_map': LATCHED_QOS, 'timing': QoSProfile(depth=20, reliability=wanted.reliability)}.get(
            name, image_qos(wanted.reliability))
        self._subscribed[name] = wanted, self._node.create_subscription(TYPES[type_name], topic, callback, qos)
        return ''

    def _unsubscribe(self, name: str) -> None:
        self._node.destroy_subscription(self._subscribed.pop(name)[1])

    def _on_image(self, layer: str, message: Any) -> None:
        frame = self._join.put(layer, stamp_ns(message.header), message, self._layers)
        if frame is not None and self._rate_limit.passes(time.monotonic()):
            self.hub.offer(frame)
            self._notify()

    def _on_timing(self, message: FrameTiming) -> None:
        self.timing.add(message, time.time() * 1e3)

    def _on_class_map(self, message: ClassMap) -> None:
        self.classes = {'name': message.name, 'classes': [
            {'id': number, 'name': name, 'color': [round(255 * value) for value in (color.r, color.g, color.b)]}
            for number, name, color in zip(message.ids, message.names, message.colors)]}
        self._notify()
