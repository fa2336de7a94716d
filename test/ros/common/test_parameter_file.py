# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A parameter file is read as ROS reads it for a node."""
from __future__ import annotations

from pathlib import Path

import rclpy
from rclpy.context import Context

from fanet_ros.ros.common.parameter_file import parameters_for

TEXT = '''
/**:
  ros__parameters:
    cameras: !!python/tuple [front, left]
    image_transport: raw
    qos: {depth: 3}
/robot:
  segmentation:
    ros__parameters: {image_transport: compressed}
/segmentation:
  ros__parameters: {device: cpu}
'''


def test_a_node_gets_what_ros_gives_it(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(TEXT)
    for namespace, transport in (('/robot', 'compressed'), ('/', 'raw')):
        context = Context()
        rclpy.init(args=['node', '--ros-args', '--params-file', str(path)], context=context)
        node = rclpy.create_node('segmentation', namespace=namespace, context=context)
        overrides = {name: parameter.value for name, parameter in node._parameter_overrides.items()}
        found = parameters_for(str(path), node.get_fully_qualified_name())
        node.destroy_node()
        rclpy.shutdown(context=context)
        assert found == overrides and found['image_transport'] == transport and found['qos.depth'] == 3
        assert found['cameras'] == ['front', 'left']


def test_a_file_that_cannot_be_read_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / 'mine.yaml').write_text('a: [')
    assert parameters_for(str(tmp_path / 'mine.yaml'), '/segmentation') == parameters_for('', '/segmentation') == {}
