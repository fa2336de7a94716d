# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed node works for nobody in vain: it listens to a camera only while its outputs are wanted."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from fanet_ros.msg import ClassMap
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.ros.common.image_conversion import rgb_to_image_message

NODE = '/rested'


def test_it_listens_only_while_somebody_subscribes(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path) -> None:
    process = start_executable(
        'segmentation_node', '--ros-args', '-r', f'__node:={NODE[1:]}', '-r', 'image:=rested_image', '-p',
        f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch', '-p', 'diagnostics_period_s:=0.1')
    camera = client.node.create_publisher(Image, '/rested_image', 5)
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    client.collect(ClassMap, f'{NODE}/class_map')       # no work for the network

    def told() -> dict[str, str]:
        status = next((array.status[0] for array in reversed(arrays) if array.status[0].name.startswith(NODE[1:])), None)
        return {} if status is None else {'message': status.message, **{item.key: item.value for item in status.values}}

    def send() -> bool:
        camera.publish(rgb_to_image_message(np.full((96, 128, 3), 90, np.uint8), Image().header))
        return True
    client.wait_for(lambda: told().get('message', '').startswith('idle: nobody subscribes'), 'idle diagnostics', process)
    send()
    assert camera.get_subscription_count() == 0 and told()['frames received'] == '0'

    for kind, name in ((Image, 'mask'), (Image, 'overlay'), (CompressedImage, 'overlay/compressed'),
                       (CompressedImage, 'confidence/compressed')):
        answers: list[Any] = []
        subscription = client.node.create_subscription(kind, f'{NODE}/{name}', answers.append, 5)
        client.wait_for(lambda: send() and bool(answers), f'an image on {name}', process)
        client.wait_for(lambda: camera.get_subscription_count() == 1, 'its subscription', process)
        client.node.destroy_subscription(subscription)
        client.wait_for(lambda: camera.get_subscription_count() == 0, 'it to rest again', process)

    result, = client.set_parameters(NODE, lazy=False)
    assert result.successful
    client.wait_for(lambda: camera.get_subscription_count() == 1, 'a subscription for nobody', process)
    assert process.stop() == 0


def test_after_a_rest_it_hears_the_camera_of_then(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path) -> None:
    node = '/woken'
    process = start_executable(
        'segmentation_node', '--ros-args', '-r', f'__node:={node[1:]}', '-r', 'image:=woken_image', '-p',
        f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch', '-p',
        'diagnostics_period_s:=0.1', '-p', 'no_image_warning_s:=0.1')
    arrays = client.collect(DiagnosticArray, '/diagnostics')

    def message() -> str:
        return next((item.message for array in reversed(arrays) for item in array.status if item.name.startswith(node[1:])), '')

    def is_blind() -> bool:
        return message().startswith('idle, and no image would arrive: nobody publishes')
    client.wait_for(is_blind, 'word of no camera', process)
    image = rgb_to_image_message(np.full((96, 128, 3), 90, np.uint8), Image().header)
    for reliability in (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT):
        camera = client.node.create_publisher(Image, '/woken_image', QoSProfile(depth=5, reliability=reliability))
        client.wait_for(lambda: message().startswith('idle: nobody subscribes'), 'word of the camera', process)
        masks: list[Image] = []
        subscription = client.node.create_subscription(Image, f'{node}/mask', masks.append, 5)
        client.wait_for(lambda: camera.publish(image) is None and bool(masks), f'a mask of {reliability.name}', process)
        client.node.destroy_subscription(subscription)
        client.node.destroy_publisher(camera)
        client.wait_for(is_blind, 'it to rest', process)
    assert process.stop() == 0


def test_a_highest_rate_is_kept_and_what_is_above_it_is_no_fault(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path, make_camera: Callable[..., Any]) -> None:
    node = '/limited'
    process = start_executable(
        'segmentation_node', '--ros-args', '-r', f'__node:={node[1:]}', '-r', 'image:=limited_image', '-p',
        f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch', '-p', 'diagnostics_period_s:=0.1')
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    camera = make_camera(process, node, '/limited_image')
    picture = np.full((96, 128, 3), 90, np.uint8)
    camera.connect(picture)
    before = len(camera.masks)
    result, = client.set_parameters(node, max_rate_hz=0.001)        # one frame, and no other within this test
    assert result.successful

    def values() -> dict[str, str]:
        status = next((array.status[0] for array in reversed(arrays) if array.status[0].name.startswith(node[1:])), None)
        return {} if status is None else {'message': status.message, **{item.key: item.value for item in status.values}}
    client.wait_for(lambda: camera.send(picture) is not None and int(
        values().get('frames dropped: above max_rate_hz', 0)) > 20, 'frames above the rate', process)
    # A slow machine has replaced frames before, and says so until they have left the window.
    client.wait_for(lambda: camera.send(picture) is not None and 'keep up' not in values()['message'], 'no fault', process)
    assert len(camera.masks) <= before + 1
    result, = client.set_parameters(node, max_rate_hz=0.0)
    assert result.successful
    camera.answer_to(picture)
    assert process.stop() == 0
