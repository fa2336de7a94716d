# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the demo's camera, segmentation node and recorder as separate processes over real DDS."""
from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Union

from fanet_ros.bags.recording import TopicNames
from fanet_ros.ros.common.node_command import node_command
from fanet_ros.ros.demo.children import Child, Children
from fanet_ros.ros.demo.environment import DemoError, ros_environment
from fanet_ros.ros.demo.observer import Observer
from fanet_ros.ros.demo.output import DemoOutput
from fanet_ros.ros.demo.progress import POLL_S, RecordingProgress, progress_bar, refresh

READY_TIMEOUT_S = 180.0
FIRST_MASK_TIMEOUT_S = 60.0
# After the last camera frame: wait for pending masks until none has arrived for this long.
SETTLE_QUIET_S = 1.5
SETTLE_LIMIT_S = 30.0

ParameterValue = Union[str, int, float, bool, list[str]]


@dataclass(frozen=True)
class DemoSettings:
    """What to run. `width` and `height` in px, 0: the source's own; `frames`: number of camera frames to record."""

    source: str
    checkpoint: str
    device: str
    engine: str
    rate_hz: float
    frames: int
    width: int
    height: int
    seed: int


def record_demo(settings: DemoSettings, output: DemoOutput) -> bool:
    """Run all processes and leave a complete bag in `output.bag`; returns False if Ctrl-C ended it early.

    :raises DemoError: a process died, or no mask arrived in time
    :raises KeyboardInterrupt: interrupted before the camera started
    """
    topics = TopicNames()
    environment = ros_environment(os.environ)
    domain_id = int(environment['ROS_DOMAIN_ID'])
    print(f'camera, segmentation node and recorder on ROS_DOMAIN_ID {domain_id}, logs in {output.logs}')
    with Observer(domain_id, topics.timing) as observer, Children() as children:
        def start(name: str, parameters: dict[str, ParameterValue], may_end: bool = False) -> Child:
            return children.add(Child(name, node_command(f'{name}_node', parameters), environment, output.log(name), may_end))

        recorder = start('recorder', {
            'output': str(output.bag), 'topics': _recorded_topics(topics), 'missing_warning_s': 0.0})
        node = start('segmentation', {
            'checkpoint': settings.checkpoint, 'device': settings.device, 'engine': settings.engine})
        _wait_until_ready(children, observer, topics)
        camera = start('camera', {
            'source': settings.source, 'rate_hz': settings.rate_hz, 'width': settings.width,
            'height': settings.height, 'loop': True, 'seed': settings.seed}, may_end=True)
        completed = _follow(children, camera, observer, settings)
        for child in (camera, node, recorder):
            children.stop(child)
    return completed


def _wait_until_ready(children: Children, observer: Observer, topics: TopicNames) -> None:
    """Wait until the node has loaded its network, and all subscriptions to the camera and mask topics exist."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    with progress_bar('loading the network', bar_format='{desc} {elapsed}') as bar:
        while time.monotonic() < deadline:
            children.check()
            if observer.listeners(topics.camera) >= {'segmentation', 'recorder'} and observer.listeners(topics.mask):
                return
            refresh(bar)
            observer.watch(POLL_S)
    raise DemoError(f'the segmentation node was not ready after {READY_TIMEOUT_S:.0f} s: see its log')


def _follow(children: Children, camera: Child, observer: Observer, settings: DemoSettings) -> bool:
    """Let the camera run, stop it, wait for the last masks; False if Ctrl-C ended it early."""
    try:
        with progress_bar('recording', total=settings.frames, unit='frame') as bar:
            progress = RecordingProgress(children, observer, bar)
            deadline = time.monotonic() + FIRST_MASK_TIMEOUT_S
            while not progress.poll():
                if time.monotonic() > deadline:
                    raise DemoError(
                        f'no camera frame was segmented within {FIRST_MASK_TIMEOUT_S:.0f} s: see the logs')
            # A camera that cannot keep its rate sends fewer frames; the demo takes no longer.
            deadline = time.monotonic() + settings.frames / settings.rate_hz
            while bar.n < settings.frames and time.monotonic() < deadline and camera.exit_code is None:
                progress.poll()
            children.stop(camera)
            _settle(progress)
    except KeyboardInterrupt:
        return False
    return True


def _settle(progress: RecordingProgress) -> None:
    """Wait until no mask has arrived for SETTLE_QUIET_S, so that pending frames are segmented and recorded."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    seen, seen_at = progress.poll(), time.monotonic()
    while time.monotonic() < min(deadline, seen_at + SETTLE_QUIET_S):
        masks = progress.poll()
        if masks != seen:
            seen, seen_at = masks, time.monotonic()


def _recorded_topics(topics: TopicNames) -> list[str]:
    types = {
        topics.camera: 'sensor_msgs/msg/Image', topics.mask: 'sensor_msgs/msg/Image',
        topics.overlay: 'sensor_msgs/msg/Image', topics.timing: 'fanet_ros/msg/FrameTiming',
        topics.truth: 'sensor_msgs/msg/Image?', '/diagnostics': 'diagnostic_msgs/msg/DiagnosticArray'}
    return [f'{name}:{type_name}' for name, type_name in types.items()]
