# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Records camera, masks and timing into a rosbag2 MCAP bag, for systems without `ros2 bag record`.

    ros2 run fanet_ros recorder_node --ros-args -p output:=drive_1 -r image:=/camera/image_raw      # Ctrl-C closes the bag

Messages are received serialised and written unchanged, without decoding or re-encoding. The bag is complete
once the process has exited on SIGINT or SIGTERM.
"""
from __future__ import annotations

import functools
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Optional

from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.topics import IMAGE_TYPES
from fanet_ros.bags.writer import BagWriter
from fanet_ros.ros.bag.recorder_parameters import RecorderSettings
from fanet_ros.ros.bag.recorder_topics import bag_qos, message_class, published_type, subscription_qos
from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.common.process import fail, shut_down, start_ros
from fanet_ros.ros.common.qos_overrides import FOLLOWS_PUBLISHERS, warn_of_unused_overrides
from fanet_ros.ros.common.ros_arguments import PLACE_IN_RCL

DISCOVERY_PERIOD_S = 0.25
# After a stop signal, messages received before it are still written: until none has come for this long, and in any case well
# within the five seconds after which launch kills the process (cameras never pause).
DRAIN_QUIET_S = 0.2
DRAIN_LIMIT_S = 1.5


@dataclass
class RecordedTopic:
    """A subscription, with what is needed to renew it when publishers with other QoS appear."""

    subscription: Subscription
    type_name: str
    qos: QoSProfile


class RecorderNode(FittedParameters, Node):
    """Subscribes to the requested topics and writes every message to a new bag.

    `failure` is the reason once writing has failed (disk full, bag removed); nothing is written after that.

    :raises BagError: the bag cannot be created
    :raises ValueError: a parameter is invalid
    """

    parameter_specs = RecorderSettings.specs()

    def __init__(self) -> None:
        super().__init__('recorder')
        settings = RecorderSettings.declare(self)
        warn_of_unused_overrides(self, FOLLOWS_PUBLISHERS)
        # Before the bag is created: a name may be invalid.
        self._requests = {self._resolved(request.name): request for request in settings.topics}
        self.bag = BagWriter(settings.output, settings.max_bag_duration_s, settings.max_bag_size_mb * 10**6)
        self.failure: Optional[str] = None
        self._recorded: dict[str, RecordedTopic] = {}
        self._given_up: set[str] = set()        # required topics that cannot be recorded
        self._discover()
        steady = Clock(clock_type=ClockType.STEADY_TIME)       # simulated time may be paused, or its publisher missing
        self.create_timer(DISCOVERY_PERIOD_S, self._discover, clock=steady)
        if settings.missing_warning_s:
            self._missing_timer = self.create_timer(settings.missing_warning_s, self._warn_of_missing, clock=steady)

    def _resolved(self, name: str) -> str:
        try:
            return self.resolve_topic_name(name)
        except RuntimeError as error:       # RCLError
            raise ValueError(f'topic {name!r}: {PLACE_IN_RCL.sub("", str(error))}') from None

    def _discover(self) -> None:
        """Subscribe to topics whose type has become known, and follow the QoS of their publishers."""
        if self.bag.is_removed:
            self.failure = f'{self.bag.path} was removed while it was recorded'
        if self._lacks_time or self.failure:
            return
        for topic, request in list(self._requests.items()):
            recorded = self._recorded.get(topic)
            if recorded:
                self._follow_publishers(topic, recorded)
                continue
            type_name = request.type_name or published_type(self, topic)
            if type_name:
                self._subscribe(topic, type_name)

    @property
    def _lacks_time(self) -> bool:
        """Whether simulated time has not started: messages would get the stamp 0."""
        return self.get_clock().now().nanoseconds == 0

    def _subscribe(self, topic: str, type_name: str) -> None:
        qos = subscription_qos(self.get_publishers_info_by_topic(topic))
        try:
            subscription = self.create_subscription(
                message_class(type_name), topic,
                functools.partial(self._on_message, topic, type_name), qos, raw=True)
        except (ImportError, AttributeError) as error:
            self._give_up(topic, f'{type_name} is not installed ({error})')
            return
        self._recorded[topic] = RecordedTopic(subscription, type_name, qos)

    def _follow_publishers(self, topic: str, recorded: RecordedTopic) -> None:
        required = subscription_qos(self.get_publishers_info_by_topic(topic))
        more_lenient = required.reliability != recorded.qos.reliability
        # A new latched subscription receives the latched messages again, so only before the first one is written.
        newly_latched = required.durability != recorded.qos.durability and not self.bag.has_topic(topic, recorded.type_name)
        if more_lenient or newly_latched:
            self.destroy_subscription(recorded.subscription)
            self._subscribe(topic, recorded.type_name)

    def _give_up(self, topic: str, reason: str) -> None:
        self.get_logger().error(f'{topic} is not recorded: {reason}')
        request = self._requests.pop(topic, None)
        if request is not None and not request.is_optional:
            self._given_up.add(topic)
        recorded = self._recorded.pop(topic, None)
        if recorded:
            self.destroy_subscription(recorded.subscription)

    def _on_message(self, topic: str, type_name: str, serialized: bytes) -> None:
        if self.failure or topic not in self._recorded:
            return
        try:
            if not self.bag.has_topic(topic, type_name):
                publishers = self.get_publishers_info_by_topic(topic)
                offered = [bag_qos(publisher.qos_profile) for publisher in publishers]
                self.bag.add_topic(topic, type_name, offered)
            self.bag.write(topic, type_name, self.get_clock().now().nanoseconds, serialized)
        except BagError as error:       # unknown message type
            self._give_up(topic, str(error))
        except OSError as error:
            self.failure = f'cannot write to {self.bag.path}: {error.strerror or error}'

    @property
    def missing(self) -> list[str]:
        """Topics without messages so far, except optional ones."""
        silent = {topic for topic, request in self._requests.items()
                  if not request.is_optional and not self.bag.counts.get(topic)}
        return sorted(silent | self._given_up)

    def _warn_of_missing(self) -> None:
        if self._lacks_time:
            self.get_logger().warning('nothing is recorded yet: use_sim_time is set, but simulated time has not started on /clock',
                                      once=True)
            return
        self.destroy_timer(self._missing_timer)         # once
        for topic in self.missing:
            if topic in self._given_up:         # logged already
                continue
            if self.count_publishers(topic):
                self.get_logger().warning(f'nothing to record on {topic}: it has a publisher, but it is silent')
                continue
            type_name = self._requests[topic].type_name
            expected = (type_name,) if type_name else IMAGE_TYPES
            others = sorted(name for name, types in self.get_topic_names_and_types()
                            if set(types) & set(expected) and self.count_publishers(name) and name not in self._recorded)
            self.get_logger().warning(f'nothing to record on {topic}: nobody publishes it'
                                      + (f'; these are published: {", ".join(others)}' if others else ''))

    def finish(self) -> None:
        """Close the bag and log its message counts; `failure` then says whether the bag is complete up to the failure."""
        try:
            self.bag.close()
        except OSError as error:
            reason = self.failure or f'cannot write to {self.bag.path}: {error.strerror or error}'
            self.failure = f'{reason}; the bag is incomplete'
            return
        if self.failure:
            self.failure += '; the bag is complete up to there'
        counts = sorted(self.bag.counts.items())
        parts = ', '.join(f'{count} {topic}' for topic, count in counts) or 'no messages'
        self.get_logger().info(f'recorded {self.bag.path}: {parts}')


class StopOrder:
    """`given` becomes True on SIGINT or SIGTERM. The handler only sets this flag, so that no write is interrupted."""

    def __init__(self) -> None:
        self.given = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        self.given = True


def _spin(node: RecorderNode, stop: StopOrder) -> None:
    """Record until a stop signal or a write error, then write the pending messages."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with suppress(ExternalShutdownException):
        while not stop.given and not node.failure:
            executor.spin_once(timeout_sec=0.1)
        deadline = time.monotonic() + DRAIN_LIMIT_S
        quiet_since, written = time.monotonic(), sum(node.bag.counts.values())
        while not node.failure and time.monotonic() < min(deadline, quiet_since + DRAIN_QUIET_S):
            executor.spin_once(timeout_sec=0.02)
            total = sum(node.bag.counts.values())
            if total != written:
                quiet_since, written = time.monotonic(), total
    executor.remove_node(node)


def _record(stop: StopOrder) -> None:
    """Record until stopped; raises BagError, ValueError, ParameterException or OSError with a one-line message."""
    node = RecorderNode()
    try:
        node.get_logger().info(f'recording into {node.bag.path}; Ctrl-C ends it')
        _spin(node, stop)
    finally:
        node.finish()
        node.destroy_node()
    if node.failure:
        raise BagError(node.failure)
    if node.missing or not node.bag.counts:
        raise BagError(f'no message received on {", ".join(node.missing) or "any topic"}: {node.bag.path} is incomplete')


def main(argv: Optional[list[str]] = None) -> int:
    """Run the recorder; exit code 0 after SIGINT or SIGTERM, 1 with one line on stderr if the bag failed or lacks a topic."""
    stop = StopOrder()
    if not start_ros('recorder_node', argv, SignalHandlerOptions.NO):
        return 1
    try:
        _record(stop)
    except (ValueError, OSError, ParameterException) as error:
        return fail('recorder', error)
    finally:
        shut_down()
    return 0
