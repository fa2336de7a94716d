# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a rosbag2 bag at the recorded pace, for systems without `ros2 bag play`.

    ros2 run fanet_ros player_node --ros-args -p bag:=drive_1

Topics are latched and reliable as they were when recorded. Topics whose types are not installed are skipped.
"""
from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Iterator, Optional, cast

import rclpy
from builtin_interfaces.msg import Time
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription
from rosbags.interfaces import ConnectionExtRosbag2, Qos, QosDurability, QosReliability
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import Image

from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import IMAGE_TYPES
from fanet_ros.ros.bag.player_parameters import PlayerSettings
from fanet_ros.ros.bag.recorder_topics import message_class
from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.common.process import fail, ignore_signals, shut_down, start_ros
from fanet_ros.ros.common.qos_choice import fitting_reliability
from fanet_ros.ros.common.qos_overrides import overridable_publisher, warn_of_unused_overrides

QUEUE_DEPTH = 10
CLOCK_PERIOD_S = 0.02
POLL_S = 0.1
FOLLOW_PERIOD_S = 0.2
REMIND_S = 10.0
LAST_MASK_S = 3.0       # at the end, stop waiting when no mask has arrived for this long


class PlayerNode(FittedParameters, Node):
    """Opens the bag and creates a publisher for every topic; play() plays it.

    :raises ValueError: a parameter is invalid, the bag cannot be read, or a requested topic is not in it
    """

    parameter_specs = PlayerSettings.specs()

    def __init__(self) -> None:
        super().__init__('player')
        self._settings = settings = PlayerSettings.declare(self)
        self._stopped = threading.Event()
        self._reader = BagReader(settings.bag)
        self._clock_publisher = self.create_publisher(ClockMessage, '/clock', QUEUE_DEPTH) if settings.clock else None
        names = {connection.topic for connection in self._reader.connections}
        missing = sorted(set(settings.topics) - names)
        if missing:
            raise ValueError(f'{settings.bag} has no {", ".join(missing)}: it has {", ".join(sorted(names))}')
        self._bag_publishers: dict[int, Publisher] = {}
        played: dict[str, str] = {}         # topic -> its type
        for connection in self._reader.connections:
            if (settings.topics and connection.topic not in settings.topics) or connection.topic == '/clock':
                continue
            try:
                message_type = message_class(connection.msgtype)
            except (ImportError, AttributeError) as error:
                self.get_logger().warning(f'{connection.topic} is not played: {connection.msgtype} is not installed '
                                          f'({error})')
                continue
            if (first := played.setdefault(connection.topic, connection.msgtype)) != connection.msgtype:     # DDS has one
                self.get_logger().warning(f'messages of {connection.topic} that are {connection.msgtype} are not played: '
                                          f'others in the bag are {first}')
                continue
            self._bag_publishers[connection.id] = overridable_publisher(
                self, message_type, connection.topic,
                publisher_qos(cast(ConnectionExtRosbag2, connection.ext).offered_qos_profiles))
        warn_of_unused_overrides(self)
        self._image_ids = {connection.id for connection in self._reader.connections
                           if connection.id in self._bag_publishers and connection.msgtype in IMAGE_TYPES}
        self._images = self._masks = 0
        self._last_mask_s = 0.0
        self._of_masks: dict[str, tuple[ReliabilityPolicy, Subscription]] = {}
        for topic in settings.masks:        # the subscription also activates a lazy node
            self._subscribe(topic, ReliabilityPolicy.RELIABLE)
        if settings.masks:
            self.create_timer(FOLLOW_PERIOD_S, self._follow_masks, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def play(self) -> int:
        """Publish all messages at the recorded pace until the end or stop(); returns their number."""
        if self._settings.masks:
            self._wait_for_listeners()
        self._stopped.wait(self._settings.start_delay_s)
        count = self._play_once()
        # Not at once, and not without messages: a bag with nothing to play, or a single message, would keep a core busy.
        while self._settings.loop and count and not self._stopped.wait(CLOCK_PERIOD_S):
            count += self._play_once()
        if self._settings.masks:
            self._report_masks()
        return count

    def stop(self) -> None:
        """Make play() return; callable from any thread."""
        self._stopped.set()

    def close(self) -> None:
        self._reader.close()

    def _play_once(self) -> int:
        start, first_ns, count = time.monotonic(), self._reader.start_time, 0
        for connection_id, stamp_ns, raw in self._messages():
            due = start + (stamp_ns - first_ns) * 1e-9 / self._settings.rate
            while (ahead := due - time.monotonic()) > 0 and not self._stopped.wait(min(ahead, CLOCK_PERIOD_S)):
                self._publish_clock(stamp_ns - max(int((due - time.monotonic()) * 1e9 * self._settings.rate), 0))
            if self._stopped.is_set():
                break
            self._publish_clock(stamp_ns)
            self._bag_publishers[connection_id].publish(raw)
            self._images += connection_id in self._image_ids
            count += 1
        return count

    def _follow_masks(self) -> None:
        """Subscribe again to masks that are published with another reliability."""
        for topic, (present, subscription) in list(self._of_masks.items()):
            reliability = fitting_reliability(self.get_publishers_info_by_topic(topic))
            if reliability != present:
                self.destroy_subscription(subscription)
                self._subscribe(topic, reliability)

    def _subscribe(self, topic: str, reliability: ReliabilityPolicy) -> None:
        self._of_masks[topic] = reliability, self.create_subscription(
            Image, topic, self._on_mask, QoSProfile(depth=QUEUE_DEPTH, reliability=reliability), raw=True)

    def _on_mask(self, raw: bytes) -> None:
        self._masks += 1
        self._last_mask_s = time.monotonic()

    def _wait_for_listeners(self) -> None:
        """Wait until every image topic has a subscriber: the segmentation node subscribes once its model is loaded."""
        next_reminder = time.monotonic()
        while not self._stopped.is_set():
            publishers = [self._bag_publishers[number] for number in self._image_ids]
            unsubscribed = sorted({item.topic_name for item in publishers if not item.get_subscription_count()})
            if not unsubscribed:
                return
            if time.monotonic() >= next_reminder:
                self.get_logger().info(f'waiting for a subscriber to {", ".join(unsubscribed)}')
                next_reminder = time.monotonic() + REMIND_S
            self._stopped.wait(POLL_S)

    def _report_masks(self) -> None:
        """Wait for the last masks and log how many of the images were segmented."""
        since = time.monotonic()
        while self._masks < self._images and time.monotonic() < max(since, self._last_mask_s) + LAST_MASK_S:
            if self._stopped.wait(POLL_S):
                break
        line = f'played {self._images} images, received {self._masks} masks'
        if self._masks < self._images:
            self.get_logger().warning(f'{line}: images that are too fast for this machine are dropped; play at a lower rate, or '
                                      'use segment_bag to segment every image')
        elif several := [topic for topic in self._settings.masks if self.count_publishers(topic) > 1]:
            self.get_logger().warning(f'{line}: several nodes publish {", ".join(several)}, so nobody can tell whether images were '
                                      'dropped, and a recorder records all these masks; stop the other nodes')
        else:
            self.get_logger().info(line)

    def _messages(self) -> Iterator[tuple[int, int, bytes]]:
        connections = [item for item in self._reader.connections if item.id in self._bag_publishers]
        for connection, received_ns, raw in self._reader.messages(connections):
            yield connection.id, received_ns, bytes(raw)

    def _publish_clock(self, now_ns: int) -> None:
        if self._clock_publisher is not None:
            self._clock_publisher.publish(ClockMessage(clock=Time(sec=now_ns // 10**9, nanosec=now_ns % 10**9)))


def publisher_qos(offered: list[Qos]) -> QoSProfile:
    """QoS for replaying a topic, from the profiles its recorded publishers offered; reliable and volatile if unknown."""
    best_effort = any(qos.reliability == QosReliability.BEST_EFFORT for qos in offered)
    latched = bool(offered) and all(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        depth=max([QUEUE_DEPTH, *(qos.depth for qos in offered if qos.depth < 1000)]),
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


def _play(node: PlayerNode) -> None:
    """Play on a worker thread while this one handles services and signals, until the bag or the node ends.

    :raises BagError: the bag is damaged further on
    """
    with ThreadPoolExecutor(1, thread_name_prefix='player') as pool:
        playing = pool.submit(node.play)
        try:
            while not playing.done():
                rclpy.spin_once(node, timeout_sec=0.1)
        finally:
            ignore_signals()
            node.stop()
            wait([playing])
            node.close()
    count = playing.result()
    if rclpy.ok():
        node.get_logger().info(f'played {count} messages')


def main(argv: Optional[list[str]] = None) -> int:
    """Run the player; exit code 0 at the end of the bag, Ctrl-C or SIGTERM, 1 with one line on stderr if it cannot be played."""
    if not start_ros('player_node', argv, SignalHandlerOptions.ALL):
        return 1
    try:
        _play(PlayerNode())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, OSError, NameValidationException, ParameterException) as error:
        return fail('player', error)
    except RuntimeError:
        if rclpy.ok():
            raise               # otherwise shutdown was requested, which makes further ROS calls fail
    finally:
        shut_down()
    return 0
