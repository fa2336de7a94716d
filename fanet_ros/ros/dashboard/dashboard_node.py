# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS node of the dashboard: subscribes while there are viewers, and collects the status that the page shows."""
from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Optional

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterEvent
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import qos_profile_parameter_events
from rclpy.subscription import Subscription

from fanet_ros.ros.common.diagnostics_text import IMAGE_TOPIC
from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.common.qos_overrides import FOLLOWS_PUBLISHERS, warn_of_unused_overrides
from fanet_ros.ros.common.silence import full_name
from fanet_ros.ros.dashboard.audience import Audience
from fanet_ros.ros.dashboard.camera_feed import CameraFeed
from fanet_ros.ros.dashboard.frame_hub import FrameHub
from fanet_ros.ros.dashboard.image_encoder import ImageEncoder
from fanet_ros.ros.dashboard.image_topic import find_image_topic
from fanet_ros.ros.dashboard.node_link import NodeLink
from fanet_ros.ros.dashboard.parameters import DashboardSettings

FOLLOW_PERIOD_S = 0.2
POLL_EVERY = 5                  # timer calls between queries to the ROS graph and the node
DIAGNOSTICS_LAST_S = 5.0        # older diagnostics are ignored: their node has probably gone
TIMING_TYPE = 'fanet_ros/msg/FrameTiming'


class DashboardNode(FittedParameters, Node):
    """Runs in its own thread; the web server uses `feeds`, `link`, `status()`, `recorded_topics()` and `audience`.

    :param workers: executor that encodes images
    :raises ValueError: invalid parameter
    """

    parameter_specs = DashboardSettings.specs()

    def __init__(self, workers: Executor) -> None:
        super().__init__('dashboard')
        self.settings = DashboardSettings.declare(self)
        warn_of_unused_overrides(self, FOLLOWS_PUBLISHERS)
        self.target = self._full_name(self.settings.node)
        self.audience = Audience()
        self.link = NodeLink(self, self.target)
        self.feeds: dict[str, CameraFeed] = {}
        self.notify: Callable[[], None] = lambda: None      # wakes the waiting viewers; set by dashboard.py before the node runs
        self.parameters_version = 0
        self._workers = workers
        self._watching: list[Subscription] = []
        self._diagnostics: dict[str, tuple[float, dict[str, Any]]] = {}
        self._image_topics: dict[str, Optional[tuple[str, str]]] = {}
        self._others: list[str] = []
        self._reported: set[str] = set()
        self._turn = 0
        self._was_present = False
        # Not the node's clock: simulated time may be paused.
        self.create_timer(FOLLOW_PERIOD_S, self._update_feeds, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def status(self) -> dict[str, Any]:
        """Everything the page shows except frames and timing, ready for JSON."""
        since = time.monotonic() - DIAGNOSTICS_LAST_S
        feeds = dict(self.feeds)
        return {
            'node': self.target, 'present': self.link.is_present, 'state': self.link.state, 'hint': self._hint(),
            'others': self._others, 'parameters_version': self.parameters_version,
            'cameras': [self._camera_status(name, feeds.get(name), since) for name in self.link.cameras]}

    def recorded_topics(self) -> list[str]:
        """Topics to record, in the format of the recorder's `topics` parameter; all but the masks are optional."""
        topics = ['/diagnostics:diagnostic_msgs/msg/DiagnosticArray?']
        for camera in self.link.cameras:
            prefix = f'{self.target}/{camera}'.rstrip('/')
            image = self._image_topics.get(camera)
            topics += [f'{prefix}/mask:sensor_msgs/msg/Image', f'{prefix}/timing:fanet_ros/msg/FrameTiming?',
                       f'{prefix}/class_map:fanet_ros/msg/ClassMap?', f'{prefix}/label_info?',
                       *([] if image is None else [f'{image[0]}:{image[1]}?'])]
        return topics

    def _camera_status(self, name: str, feed: Optional[CameraFeed], since: float) -> dict[str, Any]:
        received, diagnostics = self._diagnostics.get(name, (0.0, None))
        topic = self._image_topics.get(name)
        problems = [] if feed is None else [*feed.problems.values(), *filter(None, [feed.hub.problem])]
        return {
            'name': name, 'image_topic': topic[0] if topic else '', 'problems': problems,
            'class_map': None if feed is None else feed.classes,
            'diagnostics': diagnostics if received >= since else None}

    def _hint(self) -> str:
        """What the page is waiting for and what to do about it; '' if the node is active."""
        if not self.link.is_present:
            if self._others:
                return (f'Waiting for {self.target}. Another node is running: start the dashboard with '
                        f'--ros-args -p node:={self._others[0]}')
            return f'Waiting for {self.target}. To start it: ros2 launch fanet_ros segmentation.launch.py'
        if self.link.state == 'unconfigured':
            return 'The node has no model loaded: configure it, then activate it.'
        if self.link.state == 'inactive':
            return 'The node has its model loaded and receives no images: activate it.'
        return ''

    def _full_name(self, name: str) -> str:
        if name.startswith('/'):
            return name
        return f'{self.get_namespace().rstrip("/")}/{name}'

    def _update_feeds(self) -> None:
        wanted = self.audience.wanted()
        if not wanted:
            self._stop_watching()
            return
        if not self._watching:
            self._start_watching()
        if self._turn % POLL_EVERY == 0:
            self.link.poll()
            self._update_graph()
        self._turn += 1
        for camera in self.link.cameras:
            if camera not in self.feeds:
                self.feeds[camera] = self._new_feed(camera)
        problems: set[str] = set()
        for camera, feed in list(self.feeds.items()):
            if camera in wanted and camera in self.link.cameras and self.link.is_present:
                feed.follow(wanted[camera], self._image_topics.get(camera))
                problems |= {*feed.problems.values(), *filter(None, [feed.hub.problem])}
            else:
                feed.close()
        for line in problems - self._reported:      # once, not on every timer call
            self.get_logger().warning(line)
        self._reported = problems

    def _new_feed(self, camera: str) -> CameraFeed:
        prefix = f'{self.target}/{camera}/' if camera else f'{self.target}/'
        hub = FrameHub(ImageEncoder(self.settings.max_width_px, self.settings.jpeg_quality), self._workers)
        return CameraFeed(self, prefix, hub, self.settings.max_rate_hz, self.notify)

    def _stop_watching(self) -> None:
        for feed in self.feeds.values():
            feed.close()
        for subscription in self._watching:
            self.destroy_subscription(subscription)
        self._watching.clear()
        self._diagnostics.clear()
        self._turn = 0

    def _start_watching(self) -> None:
        self._watching = [
            self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10),
            self.create_subscription(ParameterEvent, '/parameter_events', self._on_parameter_event,
                                     qos_profile_parameter_events)]
        self.parameters_version += 1        # they may have changed while nobody was watching

    def _update_graph(self) -> None:
        if self.link.is_present and not self._was_present:
            self.parameters_version += 1
        if self._was_present and not self.link.is_present:
            for feed in self.feeds.values():
                feed.classes = None
        self._was_present = self.link.is_present
        published = {topic: types for topic, types in self.get_topic_names_and_types() if self.count_publishers(topic)}
        timing_topics = [topic for topic, types in published.items() if TIMING_TYPE in types]
        self._others = sorted({
            full_name(info) for topic in timing_topics for info in self.get_publishers_info_by_topic(topic)} - {self.target})
        try:
            namespace, _, name = self.target.rpartition('/')
            subscriptions = self.get_subscriber_names_and_types_by_node(name, namespace or '/')
        except RuntimeError:        # NodeNameNonExistentError: the node is not running yet
            subscriptions = []
        for camera in self.link.cameras:
            own = self.resolve_topic_name(f'{camera}/image' if camera else 'image')
            said = self._diagnostics[camera][1]['values'].get(IMAGE_TOPIC, '') if camera in self._diagnostics else ''
            self._image_topics[camera] = find_image_topic(camera, own, published, subscriptions, said)

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        prefix = f'{self.target.lstrip("/")}: '
        for status in array.status:
            if status.name.startswith(prefix):
                camera = status.name[len(prefix):].partition(' of ')[2]
                self._diagnostics[camera] = time.monotonic(), {
                    'level': status.level[0] if isinstance(status.level, bytes) else status.level,
                    'message': status.message, 'values': {item.key: item.value for item in status.values}}

    def _on_parameter_event(self, event: ParameterEvent) -> None:
        if event.node == self.target:
            self.parameters_version += 1
            self.notify()
