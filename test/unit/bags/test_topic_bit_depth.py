# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""16-bit images of a bag: every one is converted with the same depth, whichever are read."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from written_bags import FrameWriter, write_bag

from fanet_ros.bags.camera_reader import CameraReader
from fanet_ros.bags.frame_reader import FrameReader
from fanet_ros.bags.recording import TopicNames
from fanet_ros.bags.topics import Camera

DIM, BRIGHT = 800, 4000         # 10 and 12 bits
CAMERA = Camera('/camera/image_raw', '', '/segmentation/mask')


@pytest.fixture(name='bag', scope='module')
def bag_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dim images, each with a mask, and two bright ones in the middle."""
    def fill(writer: FrameWriter) -> None:
        for number in range(20):
            brightness = BRIGHT if number in (9, 10) else DIM
            writer.image(CAMERA.topic, number, np.full((4, 6), brightness, '<u2'), encoding='mono16')
            writer.image(CAMERA.mask_topic, number, np.zeros((4, 6), np.uint8))
    return write_bag(tmp_path_factory.mktemp('bags') / 'deep', fill)


def test_all_images_have_the_depth_of_the_brightest(bag: Path) -> None:
    with CameraReader(bag) as reader, pytest.warns(UserWarning, match='/camera/image_raw: 16-bit values are taken as 12-bit ones'):
        values = [int(image.rgb.max()) for image in reader.images([CAMERA])]
    assert values == [DIM >> 4] * 9 + [BRIGHT >> 4] * 2 + [DIM >> 4] * 9


def images_from_the_end(bag: Path) -> Iterator[np.ndarray]:
    with CameraReader(bag) as reader:
        yield from (image.rgb for image in reader.images([CAMERA], skip=17))


def masked_frames(bag: Path) -> Iterator[np.ndarray]:
    with FrameReader(bag, TopicNames(camera=CAMERA.topic, mask=CAMERA.mask_topic)) as reader:
        yield from (frame.rgb for frame in reader.frames())


@pytest.mark.filterwarnings('ignore:.*16-bit values')
@pytest.mark.parametrize('read', [images_from_the_end, masked_frames])
def test_dim_images_are_not_brightened_for_lack_of_a_bright_one(bag: Path, read: object) -> None:
    assert [int(rgb.max()) for rgb in read(bag)][-3:] == [DIM >> 4] * 3


@pytest.mark.filterwarnings('ignore:.*16-bit values')
def test_another_encoding_in_the_same_topic_has_a_depth_of_its_own(tmp_path: Path) -> None:
    def fill(writer: FrameWriter) -> None:
        for number in range(20):
            value, encoding = (60_000, 'mono16') if number < 10 else (BRIGHT, 'bayer_rggb16')
            writer.image(CAMERA.topic, number, np.full((4, 6), value, '<u2'), encoding=encoding)
    with CameraReader(write_bag(tmp_path / 'changed', fill)) as reader:
        assert [int(image.rgb.max()) for image in reader.images([CAMERA])] == [60_000 >> 8] * 10 + [BRIGHT >> 4] * 10
