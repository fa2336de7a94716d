# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lazy mode of the installed node: it subscribes to a camera only while its outputs have subscribers."""
from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from fanet_ros.msg import ClassMap
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from reports import reported
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.ros.common.image_conversion import rgb_to_image_message

NODE = '/rested'


def test_it_subscribes_to_the_camera_only_while_it_has_subscribers(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation('diagnostics_period_s:=0.1', rules=[f'__node:={NODE[1:]}', 'image:=rested_image'])
    camera = client.node.create_publisher(Image, '/rested_image', 5)
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    client.collect(ClassMap, f'{NODE}/class_map')       # needs no inference

    def send() -> bool:
        camera.publish(rgb_to_image_message(np.full((96, 128, 3), 90, np.uint8), Image().header))
        return True
    client.wait_for(lambda: reported(arrays, NODE[1:]).get('message', '').startswith('idle: nobody subscribes'),
                    'idle diagnostics', process)
    send()
    assert camera.get_subscription_count() == 0 and reported(arrays, NODE[1:])['frames received'] == '0'

    for kind, name in ((Image, 'mask'), (Image, 'overlay'), (CompressedImage, 'overlay/compressed'),
                       (CompressedImage, 'confidence/compressed')):
        answers: list[Any] = []
        subscription = client.node.create_subscription(kind, f'{NODE}/{name}', answers.append, 5)
        client.wait_for(lambda: send() and bool(answers), f'an image on {name}', process)
        client.wait_for(lambda: camera.get_subscription_count() == 1, 'its camera subscription', process)
        client.node.destroy_subscription(subscription)
        client.wait_for(lambda: camera.get_subscription_count() == 0, 'it to be idle again', process)

    client.apply(NODE, lazy=False)
    client.wait_for(lambda: camera.get_subscription_count() == 1, 'a camera subscription without subscribers', process)
    assert process.stop() == 0


def test_subscribers_and_diagnostics_are_served_while_a_model_is_built(
        client: Any, start_segmentation: Callable[..., Any], tmp_path: Path) -> None:
    node = '/building'
    process = start_segmentation('diagnostics_period_s:=0.1', rules=[f'__node:={node[1:]}', 'image:=building_image'])
    camera = client.node.create_publisher(Image, '/building_image', 5)
    client.wait_for(lambda: 'segmenting' in process.log, 'its start', process)
    client.wait_for(lambda: camera.get_subscription_count() == 0, 'it to be idle', process)
    os.mkfifo(class_map := tmp_path / 'map.yaml')       # the build waits for its content
    service = client.node.create_client(SetParametersAtomically, f'{node}/set_parameters_atomically')
    client.wait_for(service.service_is_ready, 'the service', process)
    change = service.call_async(SetParametersAtomically.Request(
        parameters=[Parameter('class_map', value=str(class_map)).to_parameter_msg()]))

    def reader() -> int:
        with suppress(OSError):         # nobody reads it yet
            return os.open(class_map, os.O_WRONLY | os.O_NONBLOCK)
        return -1
    opened: list[int] = []
    client.wait_for(lambda: opened.append(reader()) or opened[-1] >= 0, 'the build', process)

    arrays, masks = client.collect(DiagnosticArray, '/diagnostics'), client.collect(Image, f'{node}/mask')
    picture = rgb_to_image_message(np.full((96, 128, 3), 90, np.uint8), Image().header)
    client.wait_for(lambda: camera.publish(picture) or (len(masks) >= 3 and sum(
        array.status[0].name.startswith(node[1:]) for array in arrays) >= 3), 'masks and diagnostics', process)
    assert not change.done()

    def write() -> bool:
        with suppress(BrokenPipeError), os.fdopen(opened[-1], 'wb') as pipe:
            pipe.write(b'not a class map')
        client.wait_for(lambda: change.done() or opened.append(reader()) or opened[-1] >= 0, 'its end or a reader', process)
        return change.done()
    while not write():
        pass
    assert not change.result().result.successful and 'map.yaml' in change.result().result.reason
    assert process.stop() == 0


def test_after_idling_it_adapts_to_the_qos_of_a_new_camera(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    node = '/woken'
    process = start_segmentation('diagnostics_period_s:=0.1', 'no_image_warning_s:=0.1',
                                 rules=[f'__node:={node[1:]}', 'image:=woken_image'])
    arrays = client.collect(DiagnosticArray, '/diagnostics')

    def message() -> str:
        return reported(arrays, node[1:]).get('message', '')

    def is_blind() -> bool:
        return message().startswith('idle, and no image would arrive: nobody publishes')
    client.wait_for(is_blind, 'the report of no camera', process)
    image = rgb_to_image_message(np.full((96, 128, 3), 90, np.uint8), Image().header)
    for reliability in (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT):
        camera = client.node.create_publisher(Image, '/woken_image', QoSProfile(depth=5, reliability=reliability))
        client.wait_for(lambda: message().startswith('idle: nobody subscribes'), 'the report that a camera publishes', process)
        masks: list[Image] = []
        subscription = client.node.create_subscription(Image, f'{node}/mask', masks.append, 5)
        client.wait_for(lambda: camera.publish(image) is None and bool(masks), f'a mask of {reliability.name}', process)
        client.node.destroy_subscription(subscription)
        client.node.destroy_publisher(camera)
        client.wait_for(is_blind, 'it to be idle', process)
    assert process.stop() == 0


def test_max_rate_hz_is_kept_and_frames_above_it_are_no_warning(
        client: Any, start_segmentation: Callable[..., Any], make_camera: Callable[..., Any]) -> None:
    node = '/limited'
    process = start_segmentation('diagnostics_period_s:=0.1', rules=[f'__node:={node[1:]}', 'image:=limited_image'])
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    camera = make_camera(process, node, '/limited_image')
    image = np.full((96, 128, 3), 90, np.uint8)
    camera.connect(image)
    before = len(camera.masks)
    client.apply(node, max_rate_hz=0.001)        # one frame during the whole test
    client.wait_for(lambda: camera.send(image) is not None and int(
        reported(arrays, node[1:]).get('frames dropped: above max_rate_hz', 0)) > 20, 'frames above the rate', process)
    # On a slow machine earlier frames may have been replaced; the warning lasts until they leave the window.
    client.wait_for(lambda: camera.send(image) is not None and 'keep up' not in reported(arrays, node[1:])['message'],
                    'no warning', process)
    assert len(camera.masks) <= before + 1
    client.apply(node, max_rate_hz=0.0)
    camera.answer_to(image)
    assert process.stop() == 0


def test_overlay_max_rate_hz_limits_the_overlay_and_not_the_masks(
        client: Any, start_segmentation: Callable[..., Any], make_camera: Callable[..., Any]) -> None:
    node = '/drawing'
    process = start_segmentation('overlay_max_rate_hz:=0.001', rules=[f'__node:={node[1:]}', 'image:=drawing_image'])
    overlays = client.collect(Image, f'{node}/overlay')
    camera = make_camera(process, node, '/drawing_image')
    image = np.full((96, 128, 3), 90, np.uint8)
    camera.connect(image)
    client.wait_for(lambda: camera.send(image) is not None and overlays, 'the first overlay', process)
    for _ in range(5):
        camera.answer_to(image)
    assert len(overlays) == 1
    client.apply(node, overlay_max_rate_hz=0.0)
    client.wait_for(lambda: camera.send(image) is not None and len(overlays) > 4, 'further overlays', process)
    assert process.stop() == 0
