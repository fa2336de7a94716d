# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The RViz configuration and the Foxglove layout use existing topics and fields."""
from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from fanet_ros.msg import ClassCoverage, ClassMap, FrameTiming
from rclpy.qos import ReliabilityPolicy

from fanet_ros.package_share import share_directory
from fanet_ros.ros.segmentation.frame_outputs import OUTPUT_QOS

IMAGES = {'/image', '/segmentation/mask', '/segmentation/overlay', '/segmentation/confidence'}
MESSAGES = {'/segmentation/timing': FrameTiming, '/segmentation/class_map': ClassMap,
            '/segmentation/coverage': ClassCoverage}


def test_rviz_shows_the_images_with_matching_qos() -> None:
    content = yaml.safe_load((share_directory() / 'config' / 'fanet.rviz').read_text(encoding='utf-8'))
    displays = content['Visualization Manager']['Displays']
    assert {display['Topic']['Value'] for display in displays} == IMAGES
    assert OUTPUT_QOS.reliability == ReliabilityPolicy.RELIABLE
    for display in displays:
        assert display['Class'] == 'rviz_default_plugins/Image' and display['Name'] in content['Window Geometry']
        is_output = display['Topic']['Value'].startswith('/segmentation')
        assert display['Topic']['Reliability Policy'] == ('Reliable' if is_output else 'Best Effort')


def panels_of(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        yield from panels_of(layout['first'])
        yield from panels_of(layout['second'])


def test_foxglove_uses_existing_topics_and_fields() -> None:
    content = json.loads((share_directory() / 'config' / 'fanet_foxglove.json').read_text(encoding='utf-8'))
    panels = content['configById']
    assert sorted(panels_of(content['layout'])) == sorted(panels)
    images = {panel['imageMode']['imageTopic'] for panel in panels.values() if 'imageMode' in panel}
    assert images == IMAGES - {'/segmentation/confidence'}
    plotted = [path['value'] for panel in panels.values() for path in panel.get('paths', [])]
    for text in plotted:
        topic, field = text.split('.')[:2]
        assert field in MESSAGES[topic].get_fields_and_field_types(), text
    all_times = {name for name in FrameTiming.get_fields_and_field_types() if name.endswith('_ms')}
    assert all_times <= {text.split('.')[1] for text in plotted}
    assert {panel['topicPath'] for panel in panels.values() if 'topicPath' in panel} == set(MESSAGES) - {
        '/segmentation/timing'}
