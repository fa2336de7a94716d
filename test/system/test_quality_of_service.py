# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed segmentation node with publishers of compatible and incompatible QoS."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.host.dds_profile import MIN_RECEIVE_BUFFER_BYTES, receive_buffer_bytes
from fanet_ros.ros.common.image_conversion import rgb_to_image_message

BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RGB = np.zeros((48, 64, 3), np.uint8)


@pytest.mark.parametrize('reliability', [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_reliable_and_best_effort_publishers_are_received(
        client: Any, start_segmentation: Callable[..., Any], reliability: ReliabilityPolicy) -> None:
    name = f'hears_{reliability.name.lower()}'
    process = start_segmentation(rules=[f'__node:={name}', f'image:={name}/image'])
    masks = client.collect(Image, f'/{name}/mask')
    publisher = client.publisher(Image, f'/{name}/image', QoSProfile(depth=1, reliability=reliability))
    image = rgb_to_image_message(RGB, Header())
    client.wait_for(lambda: publisher.publish(image) is None and bool(masks), 'a mask', process)
    assert 'does not fit' not in process.log


def test_a_publisher_with_incompatible_qos_is_named(client: Any, start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation(
        'no_image_warning_s:=0.2', 'diagnostics_period_s:=0.1', 'qos_overrides./strict/image.subscription.reliability:=reliable',
        'lazy:=false', rules=['__node:=strict', 'image:=strict/image'])
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    client.node.create_publisher(Image, '/strict/image', BEST_EFFORT)
    client.wait_for(lambda: 'no image from /client arrives' in process.log, 'the warning', process)
    assert 'publishes /strict/image with incompatible QoS (Best effort publisher and reliable subscription)' \
        in process.log
    assert 'qos_overrides./strict/image.subscription' in process.log

    def reported() -> bool:
        return any('/client publishes /strict/image with incompatible QoS' in status.message
                   for array in arrays for status in array.status)
    client.wait_for(reported, 'the diagnostics', process)
    # A compatible publisher is received as well, and the warning about the other is logged only once.
    masks = client.collect(Image, '/strict/mask')
    good = client.publisher(Image, '/strict/image', QoSProfile(depth=1))
    image = rgb_to_image_message(RGB, Header())
    client.wait_for(lambda: good.publish(image) is None and bool(masks), 'a mask', process)
    assert process.log.count('no image from /client arrives') == 1


def test_the_subscription_follows_publishers_that_come_and_go(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation(rules=['__node:=follows', 'image:=follows/image'])
    masks = client.collect(Image, '/follows/mask')
    reliable = client.publisher(Image, '/follows/image', QoSProfile(depth=10))

    def wait_for_subscription(reliability: ReliabilityPolicy) -> None:
        """Wait until only one subscription is left: discovery may report the end of the old one slightly later."""
        def found() -> list[ReliabilityPolicy]:
            return [info.qos_profile.reliability for info in client.node.get_subscriptions_info_by_topic('/follows/image')]
        client.wait_for(lambda: found() == [reliability], f'one subscription, {reliability.name}', process)

    def wait_until_heard(publisher: Any, what: str) -> None:
        image = rgb_to_image_message(RGB, Header(frame_id=what))
        client.wait_for(lambda: publisher.publish(image) is None and masks[-1:] and masks[-1].header.frame_id == what,
                        f'a mask of {what}', process)
    wait_until_heard(reliable, 'a reliable one')
    wait_for_subscription(ReliabilityPolicy.RELIABLE)
    best_effort = client.node.create_publisher(Image, '/follows/image', BEST_EFFORT)
    wait_until_heard(best_effort, 'a best-effort one')
    wait_for_subscription(ReliabilityPolicy.BEST_EFFORT)
    wait_until_heard(reliable, 'the reliable one in parallel')
    client.node.destroy_publisher(best_effort)
    wait_for_subscription(ReliabilityPolicy.RELIABLE)
    wait_until_heard(reliable, 'the reliable one alone again')
    assert 'does not fit' not in process.log


def test_the_subscription_stays_ready_for_a_camera_that_left(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation('no_image_warning_s:=3.0', rules=['__node:=stays', 'image:=stays/image'])      # three checks later
    masks = client.collect(Image, '/stays/mask')
    camera = client.node.create_publisher(Image, '/stays/image', BEST_EFFORT)
    image = rgb_to_image_message(RGB, Header())
    client.wait_for(lambda: camera.publish(image) is None and bool(masks), 'a mask', process)
    client.node.destroy_publisher(camera)
    client.wait_for(lambda: 'nobody publishes /stays/image' in process.log, 'the warning', process)
    assert 'subscription is now reliable' not in process.log


def test_an_invalid_reliability_is_refused_by_name(start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation('qos_overrides./image.subscription.reliability:=relyable')
    assert process.wait() == 1
    assert ("segmentation_node: parameter qos_overrides./image.subscription.reliability is 'relyable': expected one of "
            'best_available, reliable') in process.log


@pytest.mark.parametrize('reliability', [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_a_camera_without_a_profile_loses_no_large_images(
        client: Any, start_segmentation: Callable[..., Any], reliability: ReliabilityPolicy) -> None:
    """This process has no DDS profile; each image is five times the size of its shared memory, and sent after the last answer."""
    if receive_buffer_bytes() < MIN_RECEIVE_BUFFER_BYTES and reliability == ReliabilityPolicy.BEST_EFFORT:
        pytest.skip('net.core.rmem_max is below 4 MB')
    name = f'large_{reliability.name.lower()}'
    process = start_segmentation('output_size:=64x48', rules=[f'__node:={name}', f'image:={name}/image'])
    masks = client.collect(Image, f'/{name}/mask')
    publisher = client.publisher(Image, f'/{name}/image', QoSProfile(depth=10, reliability=reliability))
    image = rgb_to_image_message(np.zeros((720, 1280, 3), np.uint8), Header())
    client.wait_for(lambda: publisher.publish(image) is None and bool(masks), 'a mask', process)
    for number in range(1, 31):
        image.header.stamp.sec = number
        publisher.publish(image)
        client.wait_for(lambda: masks[-1].header.stamp.sec == number, f'the mask of image {number}', process)
