"""The installed segmentation node among publishers whose quality of service fits, and does not."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.ros.image_conversion import rgb_to_image_message

BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RGB = np.zeros((48, 64, 3), np.uint8)


@pytest.mark.parametrize('reliability', [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
def test_both_kinds_of_publishers_are_heard(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path,
        reliability: ReliabilityPolicy) -> None:
    name = f'hears_{reliability.name.lower()}'
    process = start_executable('segmentation_node', '--ros-args', '-r', f'__node:={name}', '-r', f'image:={name}/image',
                               '-p', f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu')
    masks = client.collect(Image, f'/{name}/mask')
    publisher = client.publisher(Image, f'/{name}/image', QoSProfile(depth=1, reliability=reliability))
    image = rgb_to_image_message(RGB, Header())
    client.wait_for(lambda: publisher.publish(image) is None and bool(masks), 'a mask', process)
    assert 'does not fit' not in process.log


def test_a_publisher_that_cannot_be_heard_is_named(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path) -> None:
    process = start_executable(
        'segmentation_node', '--ros-args', '-r', '__node:=strict', '-r', 'image:=strict/image', '-p',
        f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'no_image_warning_s:=0.2', '-p',
        'diagnostics_period_s:=0.1', '-p', 'qos_overrides./strict/image.subscription.reliability:=reliable', '-p', 'lazy:=false')
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    client.node.create_publisher(Image, '/strict/image', BEST_EFFORT)
    client.wait_for(lambda: 'no image of /client arrives' in process.log, 'the warning', process)
    assert 'publishes /strict/image with a QoS that does not fit (Best effort publisher and reliable subscription)' \
        in process.log
    assert 'qos_overrides./strict/image.subscription' in process.log

    def told() -> bool:
        return any('/client publishes /strict/image with incompatible QoS' in status.message
                   for array in arrays for status in array.status)
    client.wait_for(told, 'the diagnostics', process)
    # One that fits is heard beside it, and that the other is not stays said, once.
    masks = client.collect(Image, '/strict/mask')
    good = client.publisher(Image, '/strict/image', QoSProfile(depth=1))
    image = rgb_to_image_message(RGB, Header())
    client.wait_for(lambda: good.publish(image) is None and bool(masks), 'a mask', process)
    assert process.log.count('no image of /client arrives') == 1
