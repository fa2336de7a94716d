# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images follow a remapping of the raw ones, as with image_transport."""
from __future__ import annotations

import pytest
import rclpy
from rclpy.context import Context
from sensor_msgs.msg import CompressedImage

from fanet_ros.ros.common.transport_topic import remapped_topic


@pytest.mark.parametrize(('rules', 'raw', 'compressed'), [
    ((), '/robot/image', '/robot/image/compressed'),
    (('image:=/eye/image_raw',), '/eye/image_raw', '/eye/image_raw/compressed'),
    (('image:=/eye/image_raw/compressed',), '/eye/image_raw/compressed', '/eye/image_raw/compressed'),
    (('image/compressed:=/eye/jpeg',), '/robot/image', '/eye/jpeg'),
    (('image:=/eye/image_raw', 'image/compressed:=/eye/jpeg'), '/eye/image_raw', '/eye/jpeg'),
    (('image:=eye', 'eye:=/other'), '/robot/eye', '/robot/eye/compressed')])
def test_compressed_images_follow_the_raw_ones_unless_remapped_themselves(
        rules: tuple[str, ...], raw: str, compressed: str) -> None:
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('segmentation', namespace='robot', context=context,
                             cli_args=['--ros-args', *(item for rule in rules for item in ('-r', rule))])
    assert (remapped_topic(node, 'image'), remapped_topic(node, 'image/compressed')) == (raw, compressed)
    node.create_subscription(CompressedImage, remapped_topic(node, 'image/compressed'), lambda message: None, 1)
    assert node.get_subscriptions_info_by_topic(compressed)
    node.destroy_node()
    rclpy.shutdown(context=context)
