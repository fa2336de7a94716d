# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, run by `ros2 launch`; skipped where it is not installed."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
import yaml

pytest.importorskip('launch_ros')
rclpy = pytest.importorskip('rclpy')
if shutil.which('ros2') is None:
    pytest.skip('the ros2 command line tools are not installed', allow_module_level=True)

from rcl_interfaces.srv import GetParameters  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import QoSProfile  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

DEADLINE_S = 90.0
NAMESPACE = '/launch_test'


@pytest.fixture
def node() -> Iterator[Node]:
    """A node inside the test."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('launch_test_observer', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def spin_until(node: Node, condition: Callable[[], bool], process: subprocess.Popen, what: str) -> None:
    """Spin the node until the condition holds; fails if the process ends first or the deadline passes."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert process.poll() is None, f'ros2 launch ended with {process.returncode} before {what}'
        assert time.monotonic() < deadline, f'no {what} within {DEADLINE_S:.0f} s'
        node.executor.spin_once(timeout_sec=0.1)


def test_demo_launch_runs_camera_and_node_with_the_given_settings(node, tmp_path):
    params_file = tmp_path / 'mine.yaml'
    mine = {'device': 'cpu', 'input_height': 128, 'input_width': 160}
    params_file.write_text(yaml.safe_dump({'/**': {'ros__parameters': mine}}), encoding='utf-8')
    images: dict[tuple[int, int], Image] = {}
    masks: list[Image] = []
    node.create_subscription(
        Image, f'{NAMESPACE}/front/image_raw',
        lambda image: images.update({(image.header.stamp.sec, image.header.stamp.nanosec): image}),
        QoSProfile(depth=5))
    node.create_subscription(Image, f'{NAMESPACE}/segmentation/mask', masks.append, QoSProfile(depth=5))
    get_parameters = node.create_client(GetParameters, f'{NAMESPACE}/segmentation/get_parameters')

    with open(tmp_path / 'launch.log', 'wb') as log:
        process = subprocess.Popen(
            ['ros2', 'launch', 'fanet_ros', 'demo.launch.py', f'namespace:={NAMESPACE[1:]}',
             f'params_file:={params_file}', 'image_topic:=front/image_raw', 'input_width:=128',
             'rate_hz:=5.0', 'width:=320', 'height:=240'],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        spin_until(node, lambda: len(masks) >= 3, process, 'three masks')
        for mask in masks[-2:]:
            assert (mask.encoding, mask.height, mask.width, mask.step) == ('mono8', 240, 320, 320)
            image = images[mask.header.stamp.sec, mask.header.stamp.nanosec]
            assert image.header == mask.header
            assert set(mask.data) <= {*range(11), 255}
        future = get_parameters.call_async(
            GetParameters.Request(names=['input_height', 'input_width', 'use_sim_time']))
        spin_until(node, future.done, process, 'answer about the parameters')
        height, width, use_sim_time = future.result().values
        # The file sets 128x160; the given argument overrides it, the omitted ones do not.
        assert (height.integer_value, width.integer_value, use_sim_time.bool_value) == (128, 128, False)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0, Path(log.name).read_text(encoding='utf-8')
        # Both processes exited with code 0 on the signal.
        assert Path(log.name).read_text(encoding='utf-8').count('process has finished cleanly') == 2
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_drive_is_recorded_and_its_camera_segmented_again(node, tmp_path):
    from rosbags.highlevel import AnyReader
    bag = tmp_path / 'drive'
    masks: list[Image] = []
    new_masks: list[Image] = []
    mask_topic = f'{NAMESPACE}/segmentation/mask'
    node.create_subscription(Image, mask_topic, masks.append, QoSProfile(depth=5))

    def start(name: str, *arguments: str) -> subprocess.Popen:
        with open(tmp_path / f'{name}.log', 'ab') as log:
            started.append(subprocess.Popen(
                ['ros2', 'launch', 'fanet_ros', f'{name}.launch.py', f'namespace:={NAMESPACE[1:]}', *arguments],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True))
        return started[-1]
    started: list[subprocess.Popen] = []
    try:
        record = start('record', f'output:={bag}', 'recorder:=fanet_ros', 'overlay:=false', 'masks:=png', 'max_bag_duration_s:=3')
        demo = start('demo', 'device:=cpu', 'input_height:=96', 'input_width:=128', 'rate_hz:=5.0', 'width:=160',
                     'height:=120')
        spin_until(node, lambda: bool(masks), demo, 'a mask')
        spin_until(node, lambda: (bag / 'drive_1.mcap').exists(), record, 'a second file')
        for process in (record, demo):
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE_S)
        with AnyReader([bag]) as reader:
            counts = {connection.topic: connection.msgcount for connection in reader.connections}
        assert counts[f'{NAMESPACE}/image'] and counts[f'{NAMESPACE}/segmentation/mask/compressed']
        assert counts[f'{NAMESPACE}/segmentation/class_map'] >= 2, counts

        node.create_subscription(Image, mask_topic, new_masks.append, QoSProfile(depth=5))       # record and demo have ended
        replay = start('replay', f'bag:={bag}', 'segment:=true', 'device:=cpu', 'input_height:=96', 'input_width:=128',
                       'loop:=true')
        spin_until(node, lambda: len(new_masks) >= 3, replay, 'masks of the recorded camera')
        with AnyReader([bag]) as reader:
            recorded = {reader.deserialize(raw, connection.msgtype).header.stamp.sec
                        for connection, _, raw in reader.messages(
                            [item for item in reader.connections if item.topic == f'{NAMESPACE}/image'])}
        assert {mask.header.stamp.sec for mask in new_masks} <= recorded
        replay.send_signal(signal.SIGINT)
        assert replay.wait(DEADLINE_S) == 0, (tmp_path / 'replay.log').read_text(encoding='utf-8')
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_a_demo_with_an_unknown_argument_starts_nothing() -> None:
    ended = subprocess.run(['ros2', 'launch', 'fanet_ros', 'demo.launch.py', 'sauce:=street'],
                           capture_output=True, text=True, timeout=DEADLINE_S)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "no argument 'sauce': did you mean source?" in printed
    assert 'process started' not in printed
