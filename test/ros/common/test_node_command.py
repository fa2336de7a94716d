# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS reads from a node's command line the values that were put into it."""
from __future__ import annotations

import pytest
import rclpy

from fanet_ros.ros.common.node_command import node_command


@pytest.mark.parametrize('value', [
    '0', 'true', '', 'my drives/rue de l\u2019\u00e9glise.mp4', '\U0001f697.mp4', 'a "b" \\c', ['1', 'x'], 0.5, 3, False])
def test_values_arrive_as_they_are(value: object) -> None:
    context = rclpy.Context()
    rclpy.init(args=node_command('camera_node', {'source': value}), context=context)
    node = rclpy.create_node('any', context=context, automatically_declare_parameters_from_overrides=True)
    try:
        assert node.get_parameter('source').value == value
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
