# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading recordings of any form: complete, split, compressed, without metadata, from an old release."""
from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from backports import zstd
from rosbags.interfaces import Qos
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fanet_ros.bags.bag_files import is_bag
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.metadata import INFORMATION, METADATA, joined_metadata
from fanet_ros.bags.reader import BagReader
from fanet_ros.tools.segment_bag.classes import LATCHED_QOS
from fanet_ros.tools.segment_bag.output import MASK_QOS

STORE = get_typestore(Stores.ROS2_JAZZY)
STRING = 'std_msgs/msg/String'


def said(number: int) -> bytes:
    return bytes(STORE.serialize_cdr(STORE.types[STRING](data=f'word {number}'), STRING))


def write(path: Path, numbers: range | list[int], storage: StoragePlugin = StoragePlugin.MCAP, topic: str = '/said') -> Path:
    """A bag of one file with a message for each of `numbers`, received at that time [ns]."""
    with Writer(path, version=9, storage_plugin=storage) as writer:
        connection = writer.add_connection(topic, STRING, typestore=STORE)
        for number in numbers:
            writer.write(connection, number, said(number))
    return path


def content(path: Path) -> list[tuple[str, int, str]]:
    with BagReader(path) as bag:
        assert sum(item.msgcount for item in bag.connections) == bag.message_count
        return [(connection.topic, received_ns, message.data)
                for connection, received_ns, message in bag.decoded()]


def expected(numbers: range | list[int]) -> list[tuple[str, int, str]]:
    return [('/said', number, f'word {number}') for number in numbers]


def pack(file: Path) -> Path:
    packed = file.with_name(file.name + '.zstd')
    packed.write_bytes(zstd.compress(file.read_bytes()))
    file.unlink()
    return packed


@pytest.mark.parametrize('storage', StoragePlugin)
def test_a_single_file_of_a_bag_is_read_compressed_or_not(tmp_path: Path, storage: StoragePlugin) -> None:
    bag = write(tmp_path / 'drive', range(5), storage)
    file, = (file for file in bag.iterdir() if file.suffix in ('.mcap', '.db3'))
    assert content(bag) == content(file) == expected(range(5))
    alone = pack(Path(shutil.copy(file, tmp_path / f'X_0{file.suffix}')))
    assert is_bag(alone) and content(alone) == expected(range(5))


@pytest.mark.parametrize('name', ['drive', 'drive_v1.2'])
def test_a_folder_without_metadata_is_read_in_the_order_of_its_files(tmp_path: Path, name: str) -> None:
    folder = tmp_path / 'drive'
    folder.mkdir()
    for number in range(12):        # all received at the same time, so that only the file numbers define the order
        part = write(tmp_path / f'part{number}', [7], topic={0: '/first', 11: '/last'}.get(number, '/said'))
        shutil.move(part / f'part{number}.mcap', folder / f'{name}_{number}.mcap')
    pack(folder / f'{name}_3.mcap')
    assert is_bag(folder) and content(folder) == [('/first', 7, 'word 7')] + 10 * expected([7]) + [('/last', 7, 'word 7')]
    with BagReader(folder) as bag:
        assert {item.topic: item.msgcount for item in bag.connections} == {'/first': 1, '/said': 10, '/last': 1}
        assert len({item.id for item in bag.connections}) == 3
        first, = (item for item in bag.connections if item.topic == '/first')
        assert [connection for connection, _, _ in bag.messages([first], start=7, stop=8)] == [first]
        assert not list(bag.messages([first], start=8))


@pytest.mark.parametrize('has_metadata', [True, False])
def test_a_bag_of_the_first_releases_is_read(tmp_path: Path, has_metadata: bool) -> None:
    """Its topics have neither QoS profiles nor message definitions."""
    folder = tmp_path / 'old'
    folder.mkdir()
    with sqlite3.connect(folder / 'old_0.db3') as database:
        database.executescript(
            'CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, '
            'serialization_format TEXT NOT NULL);'
            'CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, '
            'data BLOB NOT NULL);'
            f"INSERT INTO topics VALUES(1, '/said', '{STRING}', 'cdr');")
        database.executemany('INSERT INTO messages(topic_id, timestamp, data) VALUES(1, ?, ?)',
                             [(number, said(number)) for number in range(3)])
    database.close()
    if has_metadata:
        (folder / 'metadata.yaml').write_text(
            'rosbag2_bagfile_information:\n  version: 1\n  storage_identifier: sqlite3\n  relative_file_paths: [old_0.db3]\n'
            '  duration: {nanoseconds: 2}\n  starting_time: {nanoseconds_since_epoch: 0}\n  message_count: 3\n'
            '  topics_with_message_count:\n'
            '  - topic_metadata: {name: /said, type: std_msgs/msg/String, serialization_format: cdr}\n'
            '    message_count: 3\n')
    assert content(folder) == content(folder / 'old_0.db3') == expected(range(3))


@pytest.mark.parametrize(('make', 'reason'), [
    (lambda path: None, 'it does not exist; expected the folder of a rosbag2'),
    (lambda path: path.mkdir(), 'not a rosbag2; expected a folder written by ros2 bag record'),
    (lambda path: path.write_text('hello'), 'not a rosbag2; expected its folder, or an .mcap or .db3 file'),
    (lambda path: (path.mkdir(), (path / 'a_0.mcap').write_bytes(b'')), 'has no metadata.yaml, and one of its files is damaged'),
    (lambda path: (path.mkdir(), (path / 'a_0.mcap.zstd').write_bytes(b'no')), 'has no metadata.yaml, and one of its files is'),
    (lambda path: (path.mkdir(), (path / 'metadata.yaml').write_text('a: 1')), 'A metadata key is missing')])
def test_errors_are_one_line(tmp_path: Path, make: Callable[[Path], Any], reason: str) -> None:
    make(tmp_path / 'drive')
    with pytest.raises(BagError, match='cannot read the bag .*drive: .*' + reason) as raised:
        BagReader(tmp_path / 'drive')
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('is_alone', [True, False])
def test_a_full_temporary_folder_is_not_taken_for_a_damaged_bag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                is_alone: bool) -> None:
    writer = Writer(tmp_path / 'drive', version=9, storage_plugin=StoragePlugin.MCAP)
    if not is_alone:
        writer.set_compression(CompressionMode.FILE, CompressionFormat.ZSTD)
    with writer:
        writer.write(writer.add_connection('/said', STRING, typestore=STORE), 1, said(1))
    bag = pack(tmp_path / 'drive' / 'drive.mcap') if is_alone else tmp_path / 'drive'
    assert len(content(bag)) == 1

    def into_a_full_disk(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        patch.setattr(shutil, 'copyfileobj', into_a_full_disk)
        with pytest.raises(BagError, match='drive[^ ]*: no space left in the temporary folder /[^ ]*: free some space, or set TMP'):
            BagReader(bag)
    monkeypatch.setattr(tempfile, 'tempdir', None)
    monkeypatch.setattr(tempfile, '_candidate_tempdir_list', lambda: [str(tmp_path / 'missing')])
    with pytest.raises(BagError, match="drive[^ ]*: No usable temporary directory found in .*missing'.: free some space, or set T"):
        BagReader(bag)


def test_a_ros_1_bag_is_rejected_with_the_conversion_command(tmp_path: Path) -> None:
    (tmp_path / 'old.bag').write_bytes(b'#ROSBAG V2.0\n')
    with pytest.raises(BagError, match='it is a ROS 1 bag; convert it with: rosbags-convert --src .*old.bag --dst old'):
        BagReader(tmp_path / 'old.bag')


def test_a_damaged_message_is_reported_in_one_line_with_its_topic(tmp_path: Path) -> None:
    with Writer(tmp_path / 'drive', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.write(writer.add_connection('/said', STRING, typestore=STORE), 1, b'\x00\x01\x00\x00\xff')
    with BagReader(tmp_path / 'drive') as bag:
        assert len(list(bag.messages())) == 1
        with pytest.raises(BagError, match=r'\A.*drive has a damaged message on /said: not a valid std_msgs/msg/String\Z'):
            list(bag.decoded())


def test_a_file_damaged_further_on_is_reported_in_one_line(tmp_path: Path) -> None:
    writer = Writer(tmp_path / 'drive', version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection('/said', STRING, typestore=STORE)
        for number in range(2000):
            writer.write(connection, number, said(number))
    file = tmp_path / 'drive' / 'drive.mcap'
    chunk = file.read_bytes()
    start = chunk.index(b'\x28\xb5\x2f\xfd') + 20        # after the magic number of the zstd frame
    file.write_bytes(chunk[:start] + bytes(400) + chunk[start + 400:])
    with BagReader(tmp_path / 'drive') as bag, pytest.raises(BagError, match=r'\Acannot read the bag .*drive: .*\Z'):
        list(bag.messages())


def write_with_qos(path: Path, profiles: list[list[Qos]]) -> Path:
    """A bag of one file with a connection and a message for each of `profiles`, all of one topic."""
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = [writer.add_connection('/said', STRING, typestore=STORE, offered_qos_profiles=qos) for qos in profiles]
        for number, connection in enumerate(connections):
            writer.write(connection, number + 1, said(number + 1))
    return path


def without_message_index(file: Path, has_statistics: bool) -> None:
    """Rewrite an MCAP so that the index of its chunks does not say which channels they contain."""
    content = file.read_bytes()
    start, = struct.unpack_from('<Q', content, len(content) - 28)
    at, summary = start, b''
    while content[at] != 2:                                     # the footer
        size, = struct.unpack_from('<Q', content, at + 1)
        record = content[at + 9:at + 9 + size]
        if content[at] == 8:                                    # the index of a chunk
            offsets, = struct.unpack_from('<I', record, 32)
            record = record[:32] + bytes(4) + record[36 + offsets:]
        if content[at] != 11 or has_statistics:
            summary += struct.pack('<BQ', content[at], len(record)) + record
        at += 9 + size
    file.write_bytes(content[:start] + summary + content[at:])


@pytest.mark.parametrize('has_statistics', [True, False])
def test_chunks_without_a_message_index_are_read(tmp_path: Path, has_statistics: bool) -> None:
    bag = write(tmp_path / 'bag', range(1, 50))
    without_message_index(bag / 'bag.mcap', has_statistics)
    for path in (bag, bag / 'bag.mcap'):
        assert content(path) == expected(range(1, 50))
        with BagReader(path) as reader:
            assert [at_ns for _, at_ns, _ in reader.messages(start=10, stop=13)] == [10, 11, 12]
            assert (reader.message_count, reader.start_time, reader.end_time) == (49, 1, 50)
            assert [topic.count for topic in reader.list_topics()] == [49]


def test_a_publisher_that_comes_later_costs_no_messages(tmp_path: Path) -> None:
    """Its QoS is in the files written from then on, and metadata.yaml has that of one of them."""
    parts = [write_with_qos(tmp_path / 'drive_0', [[MASK_QOS]]), write_with_qos(tmp_path / 'drive_1', [[MASK_QOS, LATCHED_QOS]])]
    (tmp_path / 'drive').mkdir()
    about = [yaml.safe_load((part / METADATA).read_text())[INFORMATION] for part in parts]
    for part in parts:
        (part / f'{part.name}.mcap').rename(tmp_path / 'drive' / f'{part.name}.mcap')
    (tmp_path / 'drive' / METADATA).write_text(yaml.safe_dump({INFORMATION: joined_metadata(about)}))
    assert content(tmp_path / 'drive') == [('/said', 1, 'word 1'), ('/said', 1, 'word 1')]


@pytest.mark.parametrize('is_file', [False, True])
def test_several_connections_of_a_topic_are_one(tmp_path: Path, is_file: bool) -> None:
    bag = write_with_qos(tmp_path / 'drive', [[MASK_QOS], [LATCHED_QOS]])
    path = bag / 'drive.mcap' if is_file else bag
    assert content(path) == expected(range(1, 3))
    with BagReader(path) as reader:
        assert [(item.topic, item.msgcount) for item in reader.connections] == [('/said', 2)]
        assert [received_ns for _, received_ns, _ in reader.messages(start=2)] == [2]


def test_a_bag_without_messages_begins_and_ends_at_0(tmp_path: Path) -> None:
    with BagReader(write(tmp_path / 'drive', [])) as bag:
        assert (bag.start_time, bag.end_time) == (0, 0)


def test_topics_are_listed_and_an_empty_selection_is_empty(tmp_path: Path) -> None:
    with BagReader(write(tmp_path / 'drive', range(3))) as bag:
        assert [(topic.name, topic.type_name, topic.count) for topic in bag.list_topics()] == [('/said', STRING, 3)]
        assert bag.select(['/said'], ['sensor_msgs/msg/Image']) == [] == list(bag.messages([])) == list(bag.decoded([]))
        with pytest.raises(BagError, match='drive has no images on /said; it has none: name another'):
            bag.select_images('/said', 'name another')
