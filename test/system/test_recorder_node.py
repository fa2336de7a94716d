# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed recorder over real DDS: the bag contains what was published and is always complete."""
from __future__ import annotations

import array
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Optional

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time  # noqa: E402
from domains import own_domain  # noqa: E402
from executables import find_executable  # noqa: E402
from fanet_ros.msg import FrameTiming  # noqa: E402
from rclpy.duration import Duration  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.publisher import Publisher  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402
from ros_nodes import node_in_domain  # noqa: E402
from rosbags.highlevel import AnyReader  # noqa: E402
from rosbags.interfaces import QosReliability  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402

TIMEOUT_S = 200.0        # generous for a busy machine


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, f'waited {TIMEOUT_S} s for {what}'
        threading.Event().wait(0.01)


class Recorder:
    """A recorder process; everything that arrived before stop() is in the bag."""

    def __init__(self, directory: Path, domain_id: int, *parameters: str) -> None:
        self.bag = directory / 'bag'
        self._log_path = directory / 'log'
        arguments = [item for text in (f'output:={self.bag}', *parameters) for item in ('-p', text)]
        with open(self._log_path, 'wb') as log:
            self.process = subprocess.Popen(
                [str(find_executable('recorder_node')), '--ros-args', *arguments], stderr=log,
                env={**os.environ, 'ROS_DOMAIN_ID': str(domain_id)})

    @property
    def log(self) -> str:
        return self._log_path.read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


@pytest.fixture(name='domain_id')
def domain_id_fixture() -> Iterator[int]:
    with own_domain() as domain_id:
        yield domain_id


@pytest.fixture(name='node')
def node_fixture(domain_id: int) -> Iterator[Node]:
    with node_in_domain('publisher', domain_id) as node:
        yield node


@pytest.fixture(name='start_recorder')
def start_recorder_fixture(tmp_path: Path, domain_id: int) -> Iterator[Callable[..., Recorder]]:
    started: list[Recorder] = []

    def start(*parameters: str) -> Recorder:
        started.append(Recorder(tmp_path, domain_id, *parameters))
        return started[-1]
    yield start
    for recorder in started:
        recorder.process.kill()
        recorder.process.wait()


def camera_image(number: int) -> Image:
    pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8)
    message = Image(height=48, width=64, encoding='rgb8', step=192, data=array.array('B', pixels.tobytes()))
    message.header.frame_id = 'camera'
    message.header.stamp.sec, message.header.stamp.nanosec = 100 + number, 5 * number
    return message


def wait_for_subscriber(publisher: Publisher) -> None:
    wait_for(lambda: publisher.get_subscription_count() > 0, 'the recorder to subscribe')


def wait_until_arrived(publisher: Publisher) -> None:
    assert publisher.wait_for_all_acked(Duration(seconds=TIMEOUT_S)), 'not all messages have arrived'


def read(bag: Path, topic: str) -> list[bytes]:
    with AnyReader([bag]) as reader:
        connections = [connection for connection in reader.connections if connection.topic == topic]
        return [bytes(raw) for _, _, raw in reader.messages(connections)] if connections else []


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_every_message_is_recorded_as_it_was_sent(
        node: Node, start_recorder: Callable[..., Recorder], number: int) -> None:
    recorder = start_recorder()
    images = node.create_publisher(Image, 'image', 20)
    timings = node.create_publisher(FrameTiming, 'segmentation/timing', 20)
    wait_for_subscriber(images)
    wait_for_subscriber(timings)
    sent = [camera_image(index) for index in range(20)]
    for index, message in enumerate(sent):
        images.publish(message)
        timings.publish(FrameTiming(header=message.header, network_ms=1.5 * index, frames_received=index))
    wait_until_arrived(images)
    wait_until_arrived(timings)
    assert recorder.stop(number) == 0

    recorded = read(recorder.bag, '/image')
    assert [deserialize_message(raw, Image) for raw in recorded] == sent
    # Padding bytes are undefined, so only the lengths are compared.
    assert [len(raw) for raw in recorded] == [len(serialize_message(message)) for message in sent]
    received = [deserialize_message(raw, FrameTiming) for raw in read(recorder.bag, '/segmentation/timing')]
    assert [message.network_ms for message in received] == [1.5 * index for index in range(20)]
    assert [message.header for message in received] == [message.header for message in sent]
    with AnyReader([recorder.bag]) as reader:
        qos = {connection.topic: connection.ext.offered_qos_profiles for connection in reader.connections}
    assert qos['/image'][0].reliability == QosReliability.RELIABLE


def test_own_message_type_carries_its_type_hash(node: Node, start_recorder: Callable[..., Recorder]) -> None:
    recorder = start_recorder()
    timings = node.create_publisher(FrameTiming, 'segmentation/timing', 5)
    wait_for_subscriber(timings)
    timings.publish(FrameTiming(overlay_ms=2.5))
    wait_until_arrived(timings)
    assert recorder.stop() == 0
    with AnyReader([recorder.bag]) as reader:
        connection, = reader.connections
        (_, _, raw), = reader.messages()
        assert reader.deserialize(raw, connection.msgtype).overlay_ms == 2.5
    description = _installed_type_description()
    if description:    # Humble's rosidl does not write it
        assert connection.digest == description['type_hashes'][0]['hash_string']


def test_type_and_reliability_are_taken_from_the_publisher(
        node: Node, start_recorder: Callable[..., Recorder]) -> None:
    recorder = start_recorder("topics:=['chatter', 'image:sensor_msgs/msg/Image']")
    best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    chatter = node.create_publisher(String, 'chatter', 5)
    images = node.create_publisher(Image, 'image', best_effort)
    wait_for_subscriber(chatter)
    wait_for_subscriber(images)
    images.publish(camera_image(1))     # best effort, sent before the message that is awaited
    chatter.publish(String(data='hello'))
    wait_until_arrived(chatter)
    assert recorder.stop() == 0
    assert deserialize_message(read(recorder.bag, '/chatter')[0], String).data == 'hello'
    with AnyReader([recorder.bag]) as reader:
        qos = {connection.topic: connection.ext.offered_qos_profiles[0] for connection in reader.connections}
    assert qos['/image'].reliability == QosReliability.BEST_EFFORT
    assert qos['/chatter'].reliability == QosReliability.RELIABLE


def test_an_empty_bag_is_complete_but_an_error(node: Node, start_recorder: Callable[..., Recorder]) -> None:
    recorder = start_recorder()
    wait_for(lambda: node.count_subscribers('/image') > 0, 'the recorder to be up')
    assert recorder.stop() == 1 and 'no message received on any topic' in recorder.log
    with AnyReader([recorder.bag]) as reader:
        assert reader.message_count == 0


def test_a_missing_topic_and_an_unused_override_are_named(node: Node, start_recorder: Callable[..., Recorder]) -> None:
    images = node.create_publisher(Image, 'camera/image_raw', 5)
    chatter = node.create_publisher(String, 'chatter', 5)
    clock = node.create_publisher(Clock, '/clock', 5)       # the last publisher: whoever hears it has discovered the others
    recorder = start_recorder(
        "topics:=['camera/image_rw', 'chatter:std_msgs/msg/String', 'other?']",
        'missing_warning_s:=0.1', 'use_sim_time:=true',     # the warning waits for the clock
        'qos_overrides./chatter.subscription.depth:=1')

    def is_recording() -> bool:
        clock.publish(Clock(clock=Time(sec=77)))
        return chatter.get_subscription_count() > 0
    wait_for(is_recording, 'the recorder to subscribe')
    chatter.publish(String(data='hello'))
    wait_for(lambda: 'nobody publishes it; these are published: /camera/image_raw' in recorder.log, 'the warning')
    wait_until_arrived(chatter)
    assert recorder.stop() == 1
    assert 'no message received on /camera/image_rw' in recorder.log and '/other' not in recorder.log
    assert 'chatter.subscription.depth is not used: this node follows the QoS of the publishers' in recorder.log
    assert '1 /chatter' in recorder.log and images.get_subscription_count() == 0


def test_a_topic_whose_type_is_not_installed_is_an_error_unless_optional(
        node: Node, start_recorder: Callable[..., Recorder]) -> None:
    chatter = node.create_publisher(String, 'chatter', 5)
    recorder = start_recorder("topics:=['chatter', 'lidar:no_such_msgs/msg/Scan', 'radar:no_such_msgs/msg/Scan?']")
    wait_for_subscriber(chatter)
    chatter.publish(String(data='hello'))
    wait_until_arrived(chatter)
    assert recorder.stop() == 1
    assert '/lidar is not recorded: no_such_msgs/msg/Scan is not installed' in recorder.log
    assert f'no message received on /lidar: {recorder.bag} is incomplete' in recorder.log


@pytest.mark.parametrize('parameters', [(), ('max_bag_duration_s:=0.1',)])
def test_it_ends_when_somebody_removes_the_bag(
        node: Node, start_recorder: Callable[..., Recorder], parameters: tuple[str, ...]) -> None:
    recorder = start_recorder("topics:=['chatter:std_msgs/msg/String']", *parameters)
    chatter = node.create_publisher(String, 'chatter', 5)
    wait_for_subscriber(chatter)
    shutil.rmtree(recorder.bag)
    assert recorder.process.wait(TIMEOUT_S) == 1
    assert f'recorder: {recorder.bag} was removed while it was recorded; the bag is incomplete' in recorder.log
    assert 'Traceback' not in recorder.log


def test_recording_starts_with_simulated_time(node: Node, start_recorder: Callable[..., Recorder]) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    chatter = node.create_publisher(String, 'chatter', latched)
    chatter.publish(String(data='hello'))
    recorder = start_recorder("topics:=['chatter:std_msgs/msg/String']", 'use_sim_time:=true', 'missing_warning_s:=0.5')
    wait_for(lambda: 'simulated time has not started on /clock' in recorder.log, 'the warning')
    assert chatter.get_subscription_count() == 0
    clock = node.create_publisher(Clock, '/clock', 1)

    def is_recording() -> bool:
        clock.publish(Clock(clock=Time(sec=77)))
        return chatter.get_subscription_count() > 0
    wait_for(is_recording, 'the recorder to subscribe')
    wait_until_arrived(chatter)
    assert recorder.stop() == 0
    with AnyReader([recorder.bag]) as reader:
        assert [stamp for _, stamp, _ in reader.messages()] == [77 * 10**9]


@pytest.mark.parametrize(('parameter', 'reason'), [
    ('output:={taken}', 'already exists'),
    ('output:=/proc/none/bag', 'cannot create the bag'),
    ("topics:=['image:Image']", 'expected NAME or NAME:PACKAGE/msg/TYPE'),
    ("topics:=['image:/msg/Image']", 'expected NAME or NAME:PACKAGE/msg/TYPE'),
    ("topics:=['an image']", "topic 'an image': failed to resolve name: topic name must not contain"),
    ('missing_warning_s:=often', 'missing_warning_s'),
])
def test_start_up_failures_say_why_in_one_line(
        tmp_path: Path, domain_id: int, parameter: str, reason: str) -> None:
    taken = tmp_path / 'taken'
    taken.mkdir()
    finished = _run_with(parameter.format(taken=taken), tmp_path, domain_id)
    assert finished.returncode == 1
    assert reason in finished.stderr and len(finished.stderr.strip().splitlines()) == 1
    assert list(taken.iterdir()) == [] and list(tmp_path.iterdir()) == [taken]


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, domain_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'taken').mkdir()
    (work := tmp_path / 'work').mkdir()
    monkeypatch.setenv('HOME', str(tmp_path))
    finished = _run_with('output:=~/taken', work, domain_id)
    assert finished.returncode == 1 and f'{tmp_path}/taken already exists' in finished.stderr
    assert list(work.iterdir()) == []


def _run_with(parameter: str, directory: Path, domain_id: int) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(find_executable('recorder_node')), '--ros-args', '-p', parameter], cwd=directory, text=True,
        capture_output=True, timeout=TIMEOUT_S, env={**os.environ, 'ROS_DOMAIN_ID': str(domain_id)})


def _installed_type_description() -> Optional[dict]:
    for prefix in os.environ['AMENT_PREFIX_PATH'].split(os.pathsep):
        path = Path(prefix) / 'share' / 'fanet_ros' / 'msg' / 'FrameTiming.json'
        if path.is_file():
            return json.loads(path.read_text())
    return None
