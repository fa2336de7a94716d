# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evenly spaced frames of every kind of source, and the folder that keeps them."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest

from fanet_ros.datasets import DatasetError
from fanet_ros.datasets.frame_set import gather_frames, read_labels, read_rgb
from fanet_ros.datasets.source_frames import SourceRequest, open_source_frames, spread
from fanet_ros.inference import ClassMap

CLASSES = ClassMap('trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)))
ROAD = ClassMap('two', ('road', 'spaceship'), ((9, 2, 3), (4, 5, 6)))


def request(source: Any, frames: int = 3, context: int = 0, class_map: ClassMap = CLASSES, **more: Any) -> SourceRequest:
    return SourceRequest(str(source), frames, context, class_map, **more)


def write_images(folder: Path, count: int, shape: tuple[int, ...] = (48, 64, 3)) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f'{number}.png'), np.full(shape, number, np.uint8))
    return folder


def values(source: SourceRequest) -> list[int]:
    return [int(frame.rgb[0, 0, 0]) for frame in open_source_frames(source).frames]


def test_numbers_are_spread_evenly() -> None:
    assert spread(10, 4) == [0, 3, 6, 9] and spread(3, 9) == [0, 1, 2] and spread(7, 1) == [0] and spread(0, 3) == []


def test_folders_with_and_without_labels(tmp_path: Path) -> None:
    assert values(request(write_images(tmp_path / 'plain', 9))) == [0, 4, 8]
    write_images(tmp_path / 'both' / 'images', 3)
    assert values(request(tmp_path / 'both')) == [0, 1, 2]
    write_images(tmp_path / 'both' / 'labels', 3, (48, 64))
    source = open_source_frames(request(tmp_path / 'both'))
    assert source.has_labels and [int(frame.labels[0, 0]) for frame in source.frames] == [0, 1, 2]
    source = open_source_frames(request(tmp_path / 'both' / 'images', labels=str(tmp_path / 'both' / 'labels')))
    assert source.has_labels and [int(frame.labels[0, 0]) for frame in source.frames] == [0, 1, 2]
    assert values(request(tmp_path / 'both', labels=str(tmp_path / 'both' / 'labels'))) == [0, 1, 2]


def test_only_the_chosen_images_of_a_folder_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_images(tmp_path / 'long', 9)
    for number in (1, 3, 4):    # 1 and 3 are not chosen, only read as earlier frames
        (folder / f'{number}.png').write_bytes(b'no image')
    source = open_source_frames(request(folder, 5, 1))
    assert [[int(rgb[0, 0, 0]) for rgb in (*frame.earlier, frame.rgb)] for frame in source.frames] == [[0], [2], [5, 6], [7, 8]]
    assert source.unreadable == ['1.png', '3.png', '4.png']
    assert gather_frames(tmp_path / 'frames', request(folder, 5), quiet=True).count == 4
    assert f'images of {folder} that cannot be read and are left out: 1, the first is 4.png' in caplog.text


def test_a_video_provides_its_rate_and_previous_frames(tmp_path: Path) -> None:
    path = tmp_path / 'drive.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25.0, (64, 48))
    for number in range(9):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    source = open_source_frames(request(path, context=2))
    assert source.rate_hz == pytest.approx(25.0)
    found = [[int(rgb[0, 0, 0]) // 20 for rgb in (*frame.earlier, frame.rgb)] for frame in source.frames]
    assert found == [[0], [2, 3, 4], [6, 7, 8]] or found == [[0], [1, 2, 3], [5, 6, 7]]


def test_a_bag_provides_its_rate_and_evenly_spaced_frames(write_bag: Callable[..., Path]) -> None:
    def fill(writer: Any) -> None:
        for number in range(9):
            writer.image('/front/image_raw', number, np.full((48, 64, 3), number, np.uint8))
    bag = write_bag(fill)
    source = open_source_frames(request(bag, context=1))
    assert source.image_topic == '/front/image_raw' and source.rate_hz == pytest.approx(10.0)
    assert [[int(rgb[0, 0, 0]) for rgb in (*frame.earlier, frame.rgb)] for frame in source.frames] == [[0], [3, 4], [7, 8]]
    with pytest.raises(ValueError, match='--labels and --set are for folders'):
        open_source_frames(request(bag, labels='x'))


def test_one_of_several_cameras_must_be_chosen(write_bag: Callable[..., Path]) -> None:
    def fill(writer: Any) -> None:
        for topic in ('/front/image', '/left/image', '/segmentation/mask'):
            writer.image(topic, 0, np.zeros((48, 64, 3), np.uint8))
    bag = write_bag(fill)
    with pytest.raises(ValueError, match='2 cameras: choose one with --image-topic: /front/image, /left/image'):
        open_source_frames(request(bag))
    assert open_source_frames(request(bag, image_topic='/left/image')).image_topic == '/left/image'
    with pytest.raises(ValueError, match='--image-topic /right: the bag has no such image topic; it has /front/image'):
        open_source_frames(request(bag, image_topic='/right'))


def test_a_bag_without_camera_lists_its_topics(write_bag: Callable[..., Path]) -> None:
    bag = write_bag(lambda writer: writer.timing(0))
    with pytest.raises(ValueError, match='no camera topic.*FrameTiming.*--image-topic'):
        open_source_frames(request(bag))


def test_the_street_has_labels_if_the_network_has_its_classes() -> None:
    source = open_source_frames(request('street', 2, 1, ROAD))
    frames = list(source.frames)
    assert source.has_labels and len(frames) == 2 and all(len(frame.earlier) == 1 for frame in frames)
    assert all(set(np.unique(frame.labels)) <= {0, 255} for frame in frames)
    source = open_source_frames(request('street', 1))
    assert not source.has_labels and next(source.frames).labels is None


@pytest.mark.parametrize(('name', 'message'), [
    ('nothing', 'does not exist: expected a rosbag2, .*recorder_node'), ('empty', 'no images in'),
    ('text.mp4', 'not a readable video'), ('cut', 'has no metadata.yaml, and one of its files is damaged')])
def test_unusable_sources_are_rejected(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'text.mp4').write_text('no video')
    (tmp_path / 'cut').mkdir()
    (tmp_path / 'cut' / 'cut_0.mcap').touch()
    with pytest.raises(ValueError, match=message):
        list(open_source_frames(request(tmp_path / name)).frames)


def test_frames_are_gathered_once(tmp_path: Path) -> None:
    source = write_images(tmp_path / 'source' / 'images', 5).parent
    write_images(tmp_path / 'source' / 'labels', 5, (48, 64))
    with pytest.raises(ValueError, match='contains class 3: expected 0..2'):
        gather_frames(tmp_path / 'frames', request(source, 5), quiet=True)
    frames = gather_frames(tmp_path / 'frames', request(source, 2, class_map=ClassMap(
        'five', tuple('abcde'), tuple((i, i, i) for i in range(5)))), quiet=True)
    assert (frames.count, frames.height, frames.width, frames.is_scorable) == (2, 48, 64, True)
    assert [int(frame.rgb[0, 0, 0]) for frame in frames.frames()] == [0, 4]
    assert int(read_labels(frames.labels / '0001.png')[0, 0]) == 4
    (source / 'images' / '0.png').unlink()
    assert gather_frames(tmp_path / 'frames', request(source, 2), quiet=True) == frames
    (frames.images / '0000.png').write_bytes(b'damaged')
    with pytest.raises(ValueError, match='missing or damaged: remove'):
        read_rgb(frames.images / '0000.png')


def test_labels_without_any_known_class_are_rejected(tmp_path: Path) -> None:
    write_images(tmp_path / 'images', 1)
    (tmp_path / 'labels').mkdir()
    cv2.imwrite(str(tmp_path / 'labels' / '0.png'), np.full((48, 64), 255, np.uint8))
    with pytest.raises(ValueError, match='no labelled pixel of .* has a class of trio: expected a, b, c'):
        gather_frames(tmp_path / 'frames', request(tmp_path), quiet=True)


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / 'frames'
    folder.mkdir()
    cv2.imwrite(str(folder / 'a.png'), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DatasetError, match=r'frames would be replaced, but holds a\.png: choose another'):
        gather_frames(folder, request(folder), quiet=True)
    assert [path.name for path in folder.iterdir()] == ['a.png']
    (folder / 'a.png').unlink()
    (folder / 'images').mkdir()         # left by an interrupted run
    assert gather_frames(folder, request(write_images(tmp_path / 'in', 3)), quiet=True).count == 3
