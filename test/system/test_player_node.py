# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive recorded in three files by the installed recorder: each file is read alone, and the bag is played."""
from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from fanet_ros.msg import ClassMap, FrameTiming
from image_helpers import blotches
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image


@pytest.fixture(name='drive', scope='module')
def drive_fixture(client: Any, start_executable: Callable[..., Any], segmentation_camera: Callable[..., Any],
                  tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag of at least three files with camera, masks (raw and PNG), timing and class map."""
    bag = tmp_path_factory.mktemp('bag') / 'drive'
    camera = segmentation_camera('class_map_period_s:=0.0')
    # The first file starts with the latched class map and must last until the other topics are discovered.
    recorder = start_executable(
        'recorder_node', '--ros-args', '-p', f'output:={bag}', '-p', 'max_bag_duration_s:=4.0', '-p',
        "topics:=['image:sensor_msgs/msg/Image', 'segmentation/mask:sensor_msgs/msg/Image', "
        "'segmentation/mask/compressed:sensor_msgs/msg/CompressedImage', "
        "'segmentation/timing:fanet_ros/msg/FrameTiming', 'segmentation/class_map:fanet_ros/msg/ClassMap']")
    for topic in ('image', 'segmentation/mask', 'segmentation/mask/compressed', 'segmentation/class_map'):
        client.wait_for(lambda: any(info.node_name == 'recorder' for info in
                                    client.node.get_subscriptions_info_by_topic(f'/{topic}')), topic, recorder)
    seed = 0

    def recorded() -> bool:
        nonlocal seed
        seed += 1
        camera.answer_to(blotches(seed))
        return (bag / 'drive_2.mcap').exists()
    client.wait_for(recorded, 'three files', recorder)
    camera.answer_to(blotches(seed + 1))       # the third file may have started after the last mask
    assert recorder.stop() == 0 and camera.process.stop() == 0, recorder.log
    return bag


def test_every_file_alone_has_masks_and_their_class_names(drive: Path, tmp_path: Path) -> None:
    information = yaml.safe_load((drive / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert len(information['relative_file_paths']) >= 3
    for number, name in enumerate(information['relative_file_paths'][:3]):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(drive / name, folder)
        (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': {
            **information, 'relative_file_paths': [name], 'files': [information['files'][number]]}}))
        with AnyReader([folder]) as reader:
            found: dict[str, list[Any]] = {}
            for connection, _, raw in reader.messages():
                found.setdefault(connection.topic, []).append(reader.deserialize(raw, connection.msgtype))
        named = dict(zip(found['/segmentation/class_map'][-1].ids, found['/segmentation/class_map'][-1].names))
        assert named[3] == 'road' and len(named) == 11
        masks = {message.header.stamp.sec: message for message in found['/segmentation/mask']}
        assert masks and all(set(np.unique(mask.data)) <= set(named) for mask in masks.values())
        for file in found['/segmentation/mask/compressed']:
            pixels = cv2.imdecode(file.data, cv2.IMREAD_UNCHANGED)
            if file.header.stamp.sec in masks:
                assert np.array_equal(pixels.ravel(), masks[file.header.stamp.sec].data)


def test_it_plays_as_it_was_recorded(client: Any, start_executable: Callable[..., Any], drive: Path) -> None:
    with AnyReader([drive]) as reader:
        stamps = {topic: [reader.deserialize(raw, connection.msgtype).header.stamp.sec
                          for connection, _, raw in reader.messages([item for item in reader.connections
                                                                     if item.topic == topic])]
                  for topic in ('/segmentation/mask', '/segmentation/timing')}
    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    process = start_executable('player_node', '--ros-args', '-p', f'bag:={drive}', '-p', 'rate:=10.0', '-p',
                               'start_delay_s:=5.0')
    masks = client.collect(Image, '/segmentation/mask')
    timings = client.collect(FrameTiming, '/segmentation/timing')
    maps = client.collect(ClassMap, '/segmentation/class_map', latched)
    files = client.collect(CompressedImage, '/segmentation/mask/compressed')
    times = client.collect(Clock, '/clock')
    client.wait_for(lambda: len(timings) >= len(stamps['/segmentation/timing']) and bool(files and maps), 'the end')
    assert [message.header.stamp.sec for message in masks] == stamps['/segmentation/mask']
    assert [message.header.stamp.sec for message in timings] == stamps['/segmentation/timing']
    assert maps[0].names[3] == 'road'
    clock_ns = [message.clock.sec * 10**9 + message.clock.nanosec for message in times]
    assert clock_ns == sorted(clock_ns) and process.wait() == 0, process.log


@pytest.mark.parametrize(('parameters', 'reason'), [
    ([], 'parameter bag is empty'), (['-p', 'bag:=/no/such/bag'], 'cannot read the bag /no/such/bag'),
    (['-p', 'bag:={drive}', '-p', 'topics:=/nothing'], 'has no /nothing: it has /image'),
    (['-p', 'bag:={drive}', '-p', 'masks:=a mask'], 'Invalid topic name')])
def test_an_unplayable_bag_ends_it_with_one_line(
        start_executable: Callable[..., Any], drive: Path, parameters: list[str], reason: str) -> None:
    process = start_executable('player_node', '--ros-args', *(text.format(drive=drive) for text in parameters))
    assert process.wait() == 1
    line, = process.log.strip().splitlines()
    assert line.startswith('player: ') and reason in line


def bag_of_texts(path: Path, count: int) -> Path:
    """A compressed bag of std_msgs/String on /said, at 1 kHz, and of nothing on /silence."""
    store = get_typestore(Stores.ROS2_JAZZY)
    writer = Writer(path, version=8, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        said = writer.add_connection('/said', 'std_msgs/msg/String', typestore=store)
        writer.add_connection('/silence', 'std_msgs/msg/String', typestore=store)
        for number in range(count):
            message = store.types['std_msgs/msg/String'](str(number))
            writer.write(said, number * 10**6, store.serialize_cdr(message, 'std_msgs/msg/String'))
    return path


def test_a_bag_that_is_damaged_further_on_ends_it_with_one_line(start_executable: Callable[..., Any], tmp_path: Path) -> None:
    file = bag_of_texts(tmp_path / 'drive', 2000) / 'drive.mcap'
    content = file.read_bytes()
    start = content.index(b'\x28\xb5\x2f\xfd') + 20        # after the magic number of the zstd frame
    file.write_bytes(content[:start] + bytes(400) + content[start + 400:])
    process = start_executable('player_node', '--ros-args', '-p', f'bag:={tmp_path / "drive"}', '-p', 'start_delay_s:=0.0')
    assert process.wait() == 1
    line, = process.log.strip().splitlines()
    assert line.startswith(f'player: cannot read the bag {tmp_path / "drive"}: ')


def test_a_topic_with_two_types_is_played_as_the_first(start_executable: Callable[..., Any], tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for number, kind in enumerate(('Empty', 'Bool', 'Empty')):
            connection = next((item for item in writer.connections if item.msgtype == f'std_msgs/msg/{kind}'), None) or (
                writer.add_connection('/a', f'std_msgs/msg/{kind}', typestore=store))
            writer.write(connection, number, b'\0\1\0\0\0')
    process = start_executable('player_node', '--ros-args', '-p', f'bag:={tmp_path / "bag"}', '-p', 'start_delay_s:=0.0')
    assert process.wait() == 0
    assert 'messages of /a that are std_msgs/msg/Bool are not played: others in the bag are std_msgs/msg/Empty' in process.log
    assert 'played 2 messages' in process.log


def test_looping_over_nothing_ends(start_executable: Callable[..., Any], tmp_path: Path) -> None:
    process = start_executable('player_node', '--ros-args', '-p', f'bag:={bag_of_texts(tmp_path / "drive", 1)}', '-p',
                               'topics:=/silence', '-p', 'loop:=true', '-p', 'start_delay_s:=0.0')
    assert process.wait() == 0 and 'played 0 messages' in process.log


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_it_waits_for_the_node_and_counts_its_masks(
        drive: Path, start_executable: Callable[..., Any], start_segmentation: Callable[..., Any], client: Any,
        reliability: str) -> None:
    player = start_executable('player_node', '--ros-args', '-p', f'bag:={drive}', '-p', 'topics:=/image', '-p',
                              'masks:=/segmentation/mask')
    client.wait_for(lambda: 'waiting for a subscriber to /image' in player.log, 'it to wait', player)
    node = start_segmentation(f'qos_overrides./segmentation/mask.publisher.reliability:={reliability}')
    assert player.wait() == 0, player.log
    with AnyReader([drive]) as reader:
        images = sum(item.msgcount for item in reader.connections if item.topic == '/image')
    found = re.search(r'played (\d+) images, received (\d+) masks', player.log)
    assert found and int(found[1]) == images and 0 < int(found[2]) <= images
    assert node.stop() == 0


def test_masks_of_two_nodes_are_not_counted_as_those_of_all_images(
        drive: Path, start_executable: Callable[..., Any], client: Any) -> None:
    masks = [client.node.create_publisher(Image, '/segmentation/mask', 50) for _ in range(2)]
    images = client.node.create_subscription(
        Image, '/image', lambda image: [publisher.publish(Image(header=image.header)) for publisher in masks], 50)
    player = start_executable('player_node', '--ros-args', '-p', f'bag:={drive}', '-p', 'topics:=/image', '-p',
                              'masks:=/segmentation/mask')
    client.wait_for(lambda: 'played' in player.log, 'the end of the bag', player)
    client.node.destroy_subscription(images)
    for publisher in masks:
        client.node.destroy_publisher(publisher)
    assert player.wait() == 0 and 'several nodes publish /segmentation/mask, so nobody can tell' in player.log, player.log
