# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed segmentation node over DDS: outputs and class map follow the parameters."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fanet_ros.msg import ClassMap
from image_helpers import blotches, pixels
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo

from fanet_ros.inference import Segmenter

NODE = '/segmentation'
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture(name='camera', scope='module')
def camera_fixture(segmentation_camera: Callable[..., Any]) -> Any:
    return segmentation_camera('output_size:=network', 'class_map_period_s:=0.0')


def test_filter_numbering_and_size_change_while_running_and_the_class_map_follows(
        client: Any, camera: Any, segmenter: Segmenter) -> None:
    maps = client.collect(ClassMap, f'{NODE}/class_map', LATCHED_QOS)
    client.wait_for(lambda: bool(maps), 'the class map', camera.process)
    assert maps[0].name == 'camvid11' and list(maps[0].ids) == list(range(11))
    labels = segmenter.segment(blotches(1)).labels
    mask, _ = camera.answer_to(blotches(1))
    assert (mask.height, mask.width) == (96, 128)

    present = np.unique(labels)
    names = [maps[0].names[index] for index in present]
    client.apply(NODE, atomically=True, output_size='input', class_filter=f'{names[0]}, {names[1]}',
                                    class_remap=f'{names[0]}=200, {names[2]}={names[1]}')
    mask, _ = camera.answer_to(blotches(1))
    table = np.full(256, 255, np.uint8)
    table[present[0]], table[present[1]], table[present[2]] = 200, present[1], present[1]
    assert np.array_equal(pixels(mask), table[labels])
    client.wait_for(lambda: len(maps) == 2, 'the new class map', camera.process)
    assert maps[1].header == mask.header
    assert dict(zip(maps[1].ids, maps[1].names)) == {
        200: names[0], int(present[1]): names[1], 255: 'unlabelled'}


def test_the_class_map_follows_a_change_without_subscribers(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    node = start_segmentation(rules=['__ns:=/idle'])
    maps = client.collect(ClassMap, f'/idle{NODE}/class_map', LATCHED_QOS)
    client.wait_for(lambda: bool(maps), 'the class map', node)
    client.apply(f'/idle{NODE}', class_filter='road')
    client.wait_for(lambda: len(maps) == 2, 'the new class map', node)
    assert list(maps[1].names) == ['road', 'unlabelled']


@pytest.mark.parametrize(('values', 'reason'), [
    ({'class_filter': 'road, unicorn'}, "class_filter has 'unicorn': class map camvid11 has only sky, building"),
    ({'class_remap': 'road=300'}, 'expected 0..254'),
    ({'label_ids': 'dataset'}, 'class map camvid11 has no ids'),
    ({'label_ids': 'other'}, 'expected one of training, dataset'),
    ({'output_size': 'large'}, 'expected input, network, or WIDTHxHEIGHT'),
])
def test_a_refused_change_says_why_and_changes_nothing(
        client: Any, camera: Any, values: dict[str, str], reason: str) -> None:
    before = client.get_parameters(NODE, *values)
    sent = pixels(camera.answer_to(blotches(2))[0])
    result, = client.set_parameters(NODE, **values)
    assert not result.successful and reason in result.reason
    assert client.get_parameters(NODE, *values) == before
    assert np.array_equal(pixels(camera.answer_to(blotches(2))[0]), sent)


def test_camera_info_is_published_scaled_to_the_mask(client: Any, camera: Any) -> None:
    client.apply(NODE, output_size='80x30')
    infos = client.collect(CameraInfo, f'{NODE}/camera_info')
    publisher = client.publisher(CameraInfo, '/camera_info')
    info = CameraInfo(width=160, height=120, header=camera.header())
    info.k[0] = info.k[4] = 100.0

    def answered() -> bool:
        publisher.publish(info)
        camera.send(blotches(3))
        return bool(infos)
    client.wait_for(answered, 'calibration', camera.process)
    assert (infos[-1].width, infos[-1].height, infos[-1].k[0], infos[-1].k[4]) == (80, 30, 50.0, 25.0)
    mask = camera.wait_for_one(camera.masks, infos[-1].header)
    assert (mask.width, mask.height) == (80, 30)


@pytest.mark.parametrize(('parameter', 'reason'), [
    ('class_filter:=unicorn', "class_filter has 'unicorn'"), ('output_size:=0x0', 'output_size'),
    ('label_ids:=none', 'expected one of training, dataset')])
def test_an_invalid_setting_ends_the_start_with_one_line(
        start_segmentation: Callable[..., Any], parameter: str, reason: str) -> None:
    process = start_segmentation(parameter)
    assert process.wait() == 1
    line, = [line for line in process.log.strip().splitlines() if not line.startswith('[INFO]')]
    assert line.startswith('segmentation_node: ') and reason in line
