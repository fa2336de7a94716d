# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Split bags, read as a whole and file by file."""
from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from fanet_ros.msg import ClassMap, FrameTiming
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import WriterError
from std_msgs.msg import Header, String

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.writer import BagWriter

START_NS = 1_700_000_000 * 10**9
SECOND_NS = 10**9
CLASS_MAP, TIMING = 'fanet_ros/msg/ClassMap', 'fanet_ros/msg/FrameTiming'


def qos(durability: QosDurability, depth: int = 1) -> Qos:
    zero = QosTime(0, 0)
    return Qos(QosHistory.KEEP_LAST, depth, QosReliability.RELIABLE, durability, zero, zero, QosLiveliness.AUTOMATIC,
               zero, False)


LATCHED, PLAIN = qos(QosDurability.TRANSIENT_LOCAL), qos(QosDurability.VOLATILE, 5)


def timing(number: int) -> bytes:
    return serialize_message(FrameTiming(frames_received=number))


def class_map(name: str) -> bytes:
    return serialize_message(ClassMap(name=name, ids=[0, 255], names=['road', 'unlabelled']))


def contents(bag: Path) -> list[tuple[str, int, Any]]:
    """(topic, seconds since the start, message) of every message, in the bag's order."""
    with AnyReader([bag]) as reader:
        return [(connection.topic, (stamp - START_NS) // SECOND_NS, reader.deserialize(raw, connection.msgtype))
                for connection, stamp, raw in reader.messages()]


def single_file_bag(bag: Path, number: int, folder: Path) -> Path:
    """A bag with only one file of `bag`, as `ros2 bag reindex` would create it."""
    folder.mkdir()
    information = yaml.safe_load((bag / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    name = information['relative_file_paths'][number]
    shutil.copy(bag / name, folder)
    information.update(relative_file_paths=[name], files=[information['files'][number]])
    (folder / 'metadata.yaml').write_text(yaml.safe_dump({'rosbag2_bagfile_information': information}))
    return folder


def test_every_file_of_a_split_bag_has_the_class_map(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'drive', max_duration_s=10.0, max_bytes=0)
    bag.add_topic('/class_map', CLASS_MAP, [LATCHED])
    bag.add_topic('/timing', TIMING, [PLAIN])
    bag.write('/class_map', CLASS_MAP, START_NS, class_map('first'))
    for second in range(30):
        if second == 14:
            bag.write('/class_map', CLASS_MAP, START_NS + second * SECOND_NS, class_map('second'))
        bag.write('/timing', TIMING, START_NS + second * SECOND_NS, timing(second))
    bag.close()
    assert bag.counts == {'/class_map': 2, '/timing': 30}
    assert sorted(path.name for path in (tmp_path / 'drive').iterdir()) == [
        'drive_0.mcap', 'drive_1.mcap', 'drive_2.mcap', 'metadata.yaml']

    for number, names in enumerate((['first'], ['first', 'second'], ['second'])):
        messages = contents(single_file_bag(tmp_path / 'drive', number, tmp_path / f'alone_{number}'))
        timings = [message.frames_received for topic, _, message in messages if topic == '/timing']
        assert timings == list(range(10 * number, 10 * number + 10))
        maps = [message for topic, _, message in messages if topic == '/class_map']
        assert [message.name for message in maps] == names and maps[0].names == ['road', 'unlabelled']
        assert messages[0][0] == '/class_map'       # before the first mask to which it applies

    whole = contents(tmp_path / 'drive')
    assert [message.frames_received for topic, _, message in whole if topic == '/timing'] == list(range(30))
    information = yaml.safe_load((tmp_path / 'drive' / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert information['message_count'] == len(whole) == 34
    assert information['starting_time']['nanoseconds_since_epoch'] == START_NS
    assert information['duration']['nanoseconds'] == 29 * SECOND_NS
    counts = {topic['topic_metadata']['name']: topic['message_count']
              for topic in information['topics_with_message_count']}
    assert counts == {'/class_map': 4, '/timing': 30}


def test_split_by_size_keeps_topics_that_were_added_later(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'drive', max_duration_s=0.0, max_bytes=1000)
    bag.add_topic('/a', 'std_msgs/msg/String', [PLAIN])
    for number in range(10):
        if number == 5:
            bag.add_topic('/late', 'std_msgs/msg/Header', [LATCHED, LATCHED])
            for frame_id in ('left', 'right'):      # two publishers, each with its own message
                bag.write('/late', 'std_msgs/msg/Header', START_NS, serialize_message(Header(frame_id=frame_id)))
        bag.write('/a', 'std_msgs/msg/String', START_NS + number, serialize_message(String(data=str(number) * 400)))
    bag.close()
    messages = contents(tmp_path / 'drive')
    assert ''.join(message.data[0] for topic, _, message in messages if topic == '/a') == '0123456789'
    last = contents(single_file_bag(tmp_path / 'drive', -1, tmp_path / 'last'))
    assert [message.frame_id for topic, _, message in last if topic == '/late'] == ['left', 'right']


def test_files_completed_before_a_crash_are_readable(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'drive', max_duration_s=2.0, max_bytes=0)
    bag.add_topic('/timing', TIMING, [PLAIN])
    for second in range(5):
        bag.write('/timing', TIMING, START_NS + second * SECOND_NS, timing(second))
    assert [message.frames_received for _, _, message in contents(tmp_path / 'drive')] == [0, 1, 2, 3]      # not closed


class FullOnce:
    """A file whose first write after `is_full` was set stops in the middle: the disk is full, until somebody frees space."""

    def __init__(self, file: Any) -> None:
        self._file, self.is_full = file, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        if not self.is_full:
            return self._file.write(data)
        self.is_full = False
        self._file.write(bytes(data)[:len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize('max_bytes', [0, 10**7])
def test_a_bag_is_complete_up_to_the_moment_when_the_disk_is_full(tmp_path: Path, max_bytes: int) -> None:
    bag = BagWriter(tmp_path / 'drive', max_bytes=max_bytes)
    bag.add_topic('/a', 'std_msgs/msg/String', [PLAIN])
    disk = bag._file.storage.bio = FullOnce(bag._file.storage.bio)

    def write(*numbers: int) -> None:
        for number in numbers:
            bag.write('/a', 'std_msgs/msg/String', START_NS + number, serialize_message(String(data=str(number) * 400_000)))
    write(0, 1, 2, 3)
    disk.is_full = True
    with pytest.raises(OSError, match='No space left on device'):
        write(4, 5, 6, 7, 8, 9)
    bag.close()
    read = [message.data[0] for _, _, message in contents(tmp_path / 'drive')]
    assert ''.join(read) == '012345' and bag.counts == {'/a': 6}
    information = yaml.safe_load((tmp_path / 'drive' / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert information['message_count'] == 6


def test_closing_a_split_bag_again_after_it_has_failed_fails_for_the_same_reason(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'drive', max_duration_s=1.0)
    bag.add_topic('/timing', TIMING, [PLAIN])
    bag.write('/timing', TIMING, START_NS, timing(0))
    assert not bag.is_removed
    shutil.rmtree(tmp_path / 'drive')
    assert bag.is_removed
    with pytest.raises(FileNotFoundError, match='drive'):
        bag.write('/timing', TIMING, START_NS + SECOND_NS, timing(1))
    with pytest.raises(FileNotFoundError, match='drive'):
        bag.close()


def test_a_split_bag_is_complete_if_the_next_file_cannot_be_opened(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'drive', max_duration_s=1.0)
    bag.add_topic('/timing', TIMING, [PLAIN])
    bag.write('/timing', TIMING, START_NS, timing(0))
    (tmp_path / 'drive' / 'drive_1').write_bytes(b'')
    with pytest.raises(WriterError, match='exists already'):
        bag.write('/timing', TIMING, START_NS + SECOND_NS, timing(1))
    bag.close()
    assert [message.frames_received for _, _, message in contents(tmp_path / 'drive')] == [0]


def test_no_file_grows_while_simulated_time_restarts_again_and_again(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / 'drive', max_duration_s=4.0, max_bytes=0)
    bag.add_topic('/timing', TIMING, [PLAIN])
    for number in range(30):
        bag.write('/timing', TIMING, START_NS + number % 3 * SECOND_NS, timing(number))
    bag.close()
    counts = [len(contents(single_file_bag(tmp_path / 'drive', number, tmp_path / str(number))))
              for number in range(len(list((tmp_path / 'drive').glob('*.mcap'))))]
    assert sum(counts) == 30 and max(counts) == 6 and len(contents(tmp_path / 'drive')) == 30


def test_empty_bag_is_readable_and_an_existing_one_is_not_overwritten(tmp_path: Path) -> None:
    BagWriter(tmp_path / 'drive', 1.0, 0).close()
    assert (tmp_path / 'drive' / 'drive_0.mcap').is_file()
    with pytest.raises(BagError, match='already exists'):
        BagWriter(tmp_path / 'drive', 1.0, 0)
