# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags with camera images and masks as a data set."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fanet_ros.datasets import UNLABELLED, DatasetError
from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.fingerprints import count_known, to_text
from fanet_ros.datasets.layouts import load_dataset
from fanet_ros.inference import ClassMap

PAIR = ClassMap('pair', ('road', 'rest'), ((1, 2, 3), (200, 0, 0)))
STORE = get_typestore(Stores.ROS2_JAZZY)
CAMERA, MASK = '/camera/image_raw', '/corrected/mask'


def header(number: int) -> Any:
    stamp = STORE.types['builtin_interfaces/msg/Time'](sec=100 + number, nanosec=5)
    return STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id='camera')


def image(number: int, pixels: np.ndarray, encoding: str) -> tuple[str, Any]:
    """An Image with 3 bytes of padding at the end of each row."""
    rows = np.pad(pixels.reshape(pixels.shape[0], -1), ((0, 0), (0, 3)))
    return 'sensor_msgs/msg/Image', STORE.types['sensor_msgs/msg/Image'](
        header=header(number), height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, is_bigendian=0,
        step=rows.shape[1], data=rows.ravel())


def compressed(number: int, bgr: np.ndarray) -> tuple[str, Any]:
    return 'sensor_msgs/msg/CompressedImage', STORE.types['sensor_msgs/msg/CompressedImage'](
        header=header(number), format='png', data=cv2.imencode('.png', bgr)[1].ravel())


def bag(path: Path, messages: list[tuple[str, tuple[str, Any]]], **keys: Any) -> DataConfig:
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections: dict[str, Any] = {}
        for received_ns, (topic, (kind, message)) in enumerate(messages, 10**9):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], received_ns, STORE.serialize_cdr(message, kind))
    return DataConfig(**{'layout': 'bag', 'path': str(path), 'camera_topic': CAMERA, 'mask_topic': MASK, **keys})


def pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (4, 6, 3), np.uint8)


@pytest.mark.parametrize('kind', ['rgb8', 'bgr8', 'bgra8', 'compressed'])
def test_images_and_masks_are_joined_by_stamp(tmp_path: Path, kind: str) -> None:
    def camera(number: int) -> tuple[str, Any]:
        bgr = pixels(number)[..., ::-1]
        if kind == 'compressed':
            return compressed(number, bgr)
        alpha = np.dstack([bgr, np.full(bgr.shape[:2], 9, np.uint8)])
        return image(number, {'rgb8': pixels(number), 'bgr8': bgr, 'bgra8': alpha}[kind], kind)
    masks = {number: np.full((4, 6), number % 2, np.uint8) for number in (3, 1)}
    masks[1][0, 0] = UNLABELLED
    config = bag(tmp_path / 'bag', [(CAMERA, camera(number)) for number in range(4)]
                 + [(MASK, image(number, mask, 'mono8')) for number, mask in masks.items()])
    samples = load_dataset(config, PAIR)
    assert samples.names == ('101.000000005', '103.000000005')
    for sample, number in zip(samples, (1, 3)):
        assert np.array_equal(sample.rgb, pixels(number)) and np.array_equal(sample.labels, masks[number])


def test_frames_trained_on_are_known_by_their_pixels_not_by_their_stamps(tmp_path: Path) -> None:
    """Simulated time begins at 0 in each bag."""
    one, other = (load_dataset(bag(tmp_path / name, [
        (CAMERA, image(1, pixels(number), 'rgb8')), (MASK, image(1, np.zeros((4, 6), np.uint8), 'mono8'))]), PAIR)
        for number, name in enumerate(('one', 'other')))
    assert one.names == other.names
    assert [count_known(to_text(one.entries), samples.changed(lambda sample: sample).entries) for samples in (one, other)] == [1, 0]


def test_errors_are_one_line(tmp_path: Path) -> None:
    first = [(CAMERA, image(0, pixels(0), 'rgb8'))]
    with pytest.raises(DatasetError, match='no images on /corrected/mask.*it has /camera/image_raw'):
        load_dataset(bag(tmp_path / 'no_mask', first), PAIR)
    with pytest.raises(DatasetError, match='none of 1 images'):
        load_dataset(bag(tmp_path / 'apart', [*first, (MASK, image(1, np.zeros((4, 6), np.uint8), 'mono8'))]), PAIR)
    for name, mask, reason in (('class', np.full((4, 6), 7, np.uint8), 'bag_class at 100.000000005 contains class 7'),
                               ('size', np.zeros((2, 6), np.uint8), 'of the size of its image')):
        samples = load_dataset(bag(tmp_path / f'bag_{name}', [*first, (MASK, image(0, mask, 'mono8'))]), PAIR)
        with pytest.raises(DatasetError, match=reason):
            samples[0]
    for name, mask in (('colour', image(0, pixels(0), 'rgb8')), ('colour_png', compressed(0, pixels(0)))):
        samples = load_dataset(bag(tmp_path / name, [*first, (MASK, mask)]), PAIR)
        with pytest.raises(DatasetError, match='expected a mask'):
            samples[0]
    samples = load_dataset(bag(tmp_path / 'odd', [(CAMERA, image(0, pixels(0), 'x264')),
                                                  (MASK, image(0, np.zeros((4, 6), np.uint8), 'mono8'))]), PAIR)
    with pytest.raises(DatasetError, match='x264'):
        samples[0]
    damaged = image(0, pixels(0), 'rgb8'), image(0, np.zeros((4, 6), np.uint8), 'mono8')
    with Writer(tmp_path / 'cut_short', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, (kind, message) in zip((CAMERA, MASK), damaged):
            connection = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connection, 10**9, bytes(STORE.serialize_cdr(message, kind))[:30])
    with pytest.raises(DatasetError, match='damaged message on /camera/image_raw: not a valid sensor_msgs/msg/Image'):
        load_dataset(DataConfig(layout='bag', path=str(tmp_path / 'cut_short'), camera_topic=CAMERA, mask_topic=MASK), PAIR)
    with pytest.raises(DatasetError, match='cannot read the bag'):
        load_dataset(DataConfig(layout='bag', path=str(tmp_path / 'none')), PAIR)


def recorded(path: Path, stamps: list[tuple[str, int]], at_ns: int = 10**9) -> DataConfig:
    """A bag of images and masks received at the same time; the pixels of the n-th image and of the n-th mask are n."""
    count = {CAMERA: 0, MASK: 0}
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {topic: writer.add_connection(topic, 'sensor_msgs/msg/Image', typestore=STORE) for topic in count}
        for topic, stamp in stamps:
            shape, encoding = ((4, 6, 3), 'rgb8') if topic == CAMERA else ((4, 6), 'mono8')
            _, message = image(stamp, np.full(shape, count[topic], np.uint8), encoding)
            writer.write(connections[topic], at_ns, STORE.serialize_cdr(message, 'sensor_msgs/msg/Image'))
            count[topic] += 1
    return DataConfig(layout='bag', path=str(path), camera_topic=CAMERA, mask_topic=MASK)


def numbers(samples: Any) -> list[tuple[int, int]]:
    return [(int(sample.rgb[0, 0, 0]), int(sample.labels[0, 0])) for sample in samples]


TEN = ClassMap('ten', tuple('abcdefghij'), tuple((number, 1, 2) for number in range(10)))


def test_frames_received_at_the_same_time_keep_their_own_masks(tmp_path: Path) -> None:
    samples = load_dataset(recorded(tmp_path / 'bag', [(CAMERA, 0), (CAMERA, 1), (MASK, 0), (MASK, 1)]), TEN)
    assert numbers(samples) == [(0, 0), (1, 1)]


def test_frames_with_equal_stamps_are_joined_in_order(tmp_path: Path) -> None:
    samples = load_dataset(recorded(tmp_path / 'bag', [(topic, 0) for _ in range(5) for topic in (CAMERA, MASK)]), TEN)
    assert numbers(samples) == [(number, number) for number in range(5)]
    assert len(set(samples.names)) == 5 and samples.names[0] == '100.000000005'


def test_ambiguous_pairs_are_left_out_and_counted(tmp_path: Path) -> None:
    stamps = [(CAMERA, 0), (MASK, 0), *[(CAMERA, 1)] * 3, *[(MASK, 1)] * 2]
    with pytest.warns(UserWarning, match='bag: 2 masks are left out: .* such as 101.000000005, have different numbers'):
        samples = load_dataset(recorded(tmp_path / 'bag', stamps), TEN)
    assert numbers(samples) == [(0, 0)]
    with pytest.warns(UserWarning, match='left out'), \
            pytest.raises(DatasetError, match='none of 2 images .* has its own mask'):
        load_dataset(recorded(tmp_path / 'other', [(CAMERA, 0), (CAMERA, 0), (MASK, 0)]), TEN)


def test_two_classes_as_0_and_255_are_rejected(tmp_path: Path) -> None:
    def masks(*values: int) -> DataConfig:
        return bag(tmp_path / '_'.join(map(str, values)), [
            item for number, value in enumerate(values)
            for item in ((CAMERA, image(number, pixels(number), 'rgb8')),
                         (MASK, image(number, np.full((4, 6), value, np.uint8), 'mono8')))])
    with pytest.raises(DatasetError, match='the masks on /corrected/mask of .* contain only 0 and 255'):
        load_dataset(masks(255, 0), PAIR)
    assert len(load_dataset(masks(255, 0, 1), PAIR)) == 3 and len(load_dataset(masks(0, 0), PAIR)) == 2


def test_a_split_bag_is_one_data_set(tmp_path: Path) -> None:
    folder = tmp_path / 'drive'
    folder.mkdir()
    for number in range(2):
        part = recorded(tmp_path / f'part{number}', [(CAMERA, number), (MASK, number)], at_ns=10**9 * (number + 1))
        (Path(part.path) / f'part{number}.mcap').rename(folder / f'drive_{number}.mcap')
    samples = load_dataset(DataConfig(layout='bag', path=str(folder), camera_topic=CAMERA, mask_topic=MASK), TEN)
    assert samples.names == ('100.000000005', '101.000000005') and numbers(samples) == [(0, 0), (0, 0)]


@pytest.mark.parametrize('second', [('road', 'rest'), ('grass', 'path')], ids=['repeated', 'changed'])
def test_masks_that_changed_their_classes_are_refused(write_bag: Callable[[Callable[[Any], None]], Path],
                                                      second: tuple[str, ...]) -> None:
    def fill(writer: Any) -> None:
        for number, names in enumerate((('road', 'rest'), second)):
            writer.image(CAMERA, number, np.zeros((4, 6, 3), np.uint8))
            writer.class_map('/segmentation/class_map', number, names)
            writer.image('/segmentation/mask', number, np.zeros((4, 6), np.uint8))
    config = DataConfig(layout='bag', path=str(write_bag(fill)), camera_topic=CAMERA, mask_topic='/segmentation/mask')
    if second == ('road', 'rest'):
        assert len(load_dataset(config, PAIR)) == 2
        return
    with pytest.raises(DatasetError, match='changed their classes while they were recorded: /segmentation/class_map has 2'):
        load_dataset(config, PAIR)
