# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped weights are as accurate in the installed node as in `evaluate`.

Tested on synthetic street frames, and on real ones if FANET_ROS_DATA is a folder with images/ and labels/.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.datasets import Sample, load_folder
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.inference import Segmenter
from fanet_ros.ros.common.image_conversion import rgb_to_image_message
from fanet_ros.sources import SyntheticStreet

STREET_SEED = 7         # not used for training
CLASSES = 11
DATA = os.environ.get('FANET_ROS_DATA')


def street_samples() -> list[Sample]:
    street = SyntheticStreet(seed=STREET_SEED)
    frames = [street.frame(index) for index in range(0, 120, 15)]
    return [Sample(f'street_{frame.index}', frame.rgb, frame.labels) for frame in frames]


@pytest.fixture(name='ask_node', scope='module')
def ask_node_fixture(client: Any, start_executable: Callable[..., Any]) -> Callable[[np.ndarray], np.ndarray]:
    """Sends a frame to an installed node with the shipped weights; returns its mask."""
    process = start_executable('segmentation_node', '--ros-args', '-p', 'device:=cpu', '-p', 'engine:=torch')
    masks = client.collect(Image, '/segmentation/mask')
    images = client.publisher(Image, '/image')
    stamps_s = iter(range(1, 10**6))

    def send(rgb: np.ndarray) -> Header:
        header = Header(stamp=Time(sec=next(stamps_s)))
        images.publish(rgb_to_image_message(rgb, header))
        return header

    client.wait_for(lambda: send(np.zeros((360, 480, 3), np.uint8)) is not None and bool(masks), 'the first mask', process)

    def ask(rgb: np.ndarray) -> np.ndarray:
        header = send(rgb)
        client.wait_for(lambda: masks[-1].header == header, f'mask {header.stamp.sec}', process)
        message = masks[-1]
        masks[:-1] = []
        return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)
    return ask


@pytest.mark.parametrize('name', ['street', pytest.param('data', marks=pytest.mark.skipif(
    not DATA, reason='FANET_ROS_DATA is not set'))])
def test_the_node_is_as_accurate_as_the_segmenter(
        ask_node: Callable[[np.ndarray], np.ndarray], name: str, record_property: Callable[[str, object], None]) -> None:
    samples = load_folder(DATA, CLASSES) if name == 'data' else street_samples()
    segmenter = Segmenter.from_checkpoint('fanet18_camvid', device='cpu', engine='torch')
    directly, through_node = ConfusionMatrix(CLASSES), ConfusionMatrix(CLASSES)
    for sample in samples:
        directly.add(sample.labels, segmenter.segment(sample.rgb).labels)
        through_node.add(sample.labels, ask_node(sample.rgb))
    figures = [100 * confusion.mean_iou() for confusion in (directly, through_node)]
    record_property('mIoU', figures)
    print(f'{name}, {len(samples)} frames: mIoU {figures[0]:.2f} directly, {figures[1]:.2f} through the node')
    assert abs(figures[0] - figures[1]) < 0.5
    assert through_node.pixel_accuracy() > 0.7      # both could be equally wrong
