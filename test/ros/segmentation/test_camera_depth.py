# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""16-bit images of a driver that is restarted, or sends another encoding, with fewer bits than before."""
from __future__ import annotations

import array
from collections.abc import Iterator

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from waiting import wait_for

from fanet_ros.ros.segmentation.camera_input import CameraInput, ReceivedFrame

BRIGHT, TWELVE_BITS = 60_000, 4_000


def image(value: int, encoding: str = 'mono16') -> Image:
    return Image(height=4, width=4, step=8, encoding=encoding, data=array.array('B', np.full((4, 4), value, '<u2').tobytes()))


@pytest.fixture(name='node', params=['best_available', 'reliable'])
def node_fixture(request: pytest.FixtureRequest) -> Iterator[Node]:
    context = Context()
    rclpy.init(context=context)
    yield rclpy.create_node('depth', context=context, parameter_overrides=[
        Parameter('qos_overrides./image.subscription.reliability', value=request.param)])
    rclpy.shutdown(context=context)


def test_a_restarted_driver_with_fewer_bits_does_not_stay_dark(node: Node) -> None:
    levels: list[int] = []

    def on_frame(frame: ReceivedFrame) -> None:
        levels.append(int(camera.raw_image(frame.message).rgb.max()))
    camera = CameraInput(node, '', False, on_frame)
    camera.subscribe()
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)

    def sends(value: int, level: int) -> None:
        publisher = node.create_publisher(Image, 'image', 1)

        def has_arrived() -> bool:
            publisher.publish(image(value))
            executor.spin_once(timeout_sec=0.05)
            return levels[-1:] == [level]
        wait_for(has_arrived)
        node.destroy_publisher(publisher)
    sends(BRIGHT, BRIGHT >> 8)
    sends(TWELVE_BITS, TWELVE_BITS >> 4)


def test_another_encoding_of_the_same_driver_has_a_depth_of_its_own(node: Node) -> None:
    camera = CameraInput(node, '', False, lambda _: None)
    sent = [image(BRIGHT), image(TWELVE_BITS, 'bayer_rggb16'), image(TWELVE_BITS), image(BRIGHT), image(TWELVE_BITS)]
    assert [int(camera.raw_image(message).rgb.max()) for message in sent] == [
        BRIGHT >> 8, TWELVE_BITS >> 4, TWELVE_BITS >> 4, BRIGHT >> 8, TWELVE_BITS >> 8]
