# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""segment_bag: the same bag with masks, also after interruptions."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.topics import IMAGE, Topic, camera_names, choose_cameras, is_of_node
from fanet_ros.commands import run
from fanet_ros.datasets import SampleCache
from fanet_ros.datasets.bag import load_bag
from fanet_ros.inference import Segmenter
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools.segment_bag.classes import LATCHED_QOS
from fanet_ros.tools.segment_bag.command import main
from fanet_ros.tools.segment_bag.journal import Journal
from fanet_ros.tools.segment_bag.output import MASK_QOS

STORE = get_typestore(Stores.ROS2_JAZZY)
COMPRESSED, TEXT = 'sensor_msgs/msg/CompressedImage', 'std_msgs/msg/String'
STREET = SyntheticStreet(96, 64, seed=3)
QUICK = ['--device', 'cpu', '--engine', 'torch', '--resolution', '96x64', '--quiet']
CLASSES = ['/segmentation/class_map', '/segmentation/label_info']
BEST_EFFORT = MASK_QOS._replace(depth=1, reliability=type(MASK_QOS.reliability).BEST_EFFORT)


def header(number: int) -> Any:
    return STORE.types['std_msgs/msg/Header'](
        stamp=STORE.types['builtin_interfaces/msg/Time'](sec=100 + number, nanosec=7), frame_id=f'optical_{number}')


def raw(number: int, encoding: str = 'rgb8') -> tuple[str, Any]:
    rgb = STREET.frame(number).rgb
    return IMAGE, STORE.types[IMAGE](header=header(number), height=64, width=96, encoding=encoding, is_bigendian=0,
                                     step=288, data=rgb.reshape(-1))


def compressed(number: int, data: Optional[bytes] = None) -> tuple[str, Any]:
    encoded = cv2.imencode('.png', STREET.frame(number).rgb[..., ::-1])[1].reshape(-1)
    return COMPRESSED, STORE.types[COMPRESSED](
        header=header(number), format='png', data=encoded if data is None else np.frombuffer(data, np.uint8))


def text(value: str) -> tuple[str, Any]:
    return TEXT, STORE.types[TEXT](data=value)


def write(path: Path, messages: list[tuple[str, tuple[str, Any]]],
          storage: StoragePlugin = StoragePlugin.MCAP) -> Path:
    with Writer(path, version=8, storage_plugin=storage) as writer:
        connections: dict[str, Any] = {}
        for number, (topic, (kind, message)) in enumerate(messages):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE, offered_qos_profiles=[BEST_EFFORT])
            writer.write(connections[topic], 10**9 + number * 10**6, STORE.serialize_cdr(message, kind))
    return path


def read(path: Path) -> list[tuple[str, int, bytes]]:
    with AnyReader([path]) as reader:
        return [(connection.topic, at_ns, bytes(data)) for connection, at_ns, data in reader.messages()]


def masks(path: Path, topic: str = '/segmentation/mask') -> list[Any]:
    return [STORE.deserialize_cdr(data, IMAGE) for name, _, data in read(path) if name == topic]


@pytest.fixture(scope='module')
def segmenter() -> Segmenter:
    return Segmenter.from_checkpoint(device='cpu', engine='torch', input_height=64, input_width=96)


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize('image', [raw, compressed])
def test_the_same_bag_with_masks(tmp_path: Path, segmenter: Segmenter, storage: StoragePlugin, image: Any) -> None:
    source = write(tmp_path / 'in', [item for number in range(3) for item in
                                     (('/note', text(str(number))), ('/camera/image_raw', image(number)))], storage)
    assert main([str(source), str(tmp_path / 'out'), *QUICK]) == 0
    found = read(tmp_path / 'out')
    assert [item for item in found if not item[0].startswith('/segmentation')] == read(source)
    assert [name for name, _, _ in found] == CLASSES + ['/note', '/camera/image_raw', '/segmentation/mask'] * 3
    for number, mask in enumerate(masks(tmp_path / 'out')):
        assert mask.header == header(number) and (mask.encoding, mask.step) == ('mono8', 96)
        labels = segmenter.segment(STREET.frame(number).rgb).labels
        np.testing.assert_array_equal(mask.data.reshape(64, 96), labels)
    with AnyReader([tmp_path / 'out']) as reader:
        qos = {item.topic: item.ext.offered_qos_profiles for item in reader.connections}
    assert qos == {'/note': [BEST_EFFORT], '/camera/image_raw': [BEST_EFFORT], '/segmentation/mask': [MASK_QOS],
                   **{name: [LATCHED_QOS] for name in CLASSES}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ['in', 'out']
    suffix = '.mcap' if storage is StoragePlugin.MCAP else '.db3'
    assert (tmp_path / 'out' / f'out{suffix}').is_file()
    assert 'bicyclist' in (tmp_path / 'out' / 'metadata.yaml').read_text()


def test_a_split_bag_and_several_cameras(tmp_path: Path) -> None:
    parts = [write(tmp_path / f'part{part}', [(f'/{side}/image_raw', raw(part)) for side in ('left', 'right')])
             for part in range(2)]
    merged = tmp_path / 'in'
    merged.mkdir()
    for part in parts:
        (merged / f'{part.name}.mcap').write_bytes((part / f'{part.name}.mcap').read_bytes())
    metadata = (parts[0] / 'metadata.yaml').read_text().replace('- part0.mcap', '- part0.mcap\n  - part1.mcap')
    (merged / 'metadata.yaml').write_text(metadata.replace('message_count: 1', 'message_count: 2'))
    assert main([str(merged), str(tmp_path / 'out'), *QUICK]) == 0
    for side in ('left', 'right'):
        assert [mask.header for mask in masks(tmp_path / 'out', f'/segmentation/{side}/mask')] == [header(0), header(1)]


def test_undecodable_frames_are_kept_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / 'in', [('/image', compressed(0)), ('/image', compressed(1, b'junk')), ('/image', compressed(2))])
    assert main([str(source), str(tmp_path / 'out'), *QUICK]) == 0
    assert '2 masks; images without a mask, kept unmodified: 1 unreadable image' in capsys.readouterr().out
    assert [mask.header for mask in masks(tmp_path / 'out')] == [header(0), header(2)]
    assert len(read(tmp_path / 'out')) == 5 + len(CLASSES)


@pytest.mark.parametrize('kill', [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_resume_after_an_interruption(tmp_path: Path, kill: signal.Signals) -> None:
    source = write(tmp_path / 'in', [('/image', raw(number % 5)) for number in range(100)])
    command = [str(source), str(tmp_path / 'out'), *QUICK]
    process = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bag', *command], stderr=subprocess.PIPE)
    journal, deadline = tmp_path / 'out.partial' / 'masks.journal', time.monotonic() + 120
    while not (journal.is_file() and journal.stat().st_size > 2000):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)        # leaves the CPU to the other process
    process.send_signal(kill)
    process.communicate(timeout=120)
    assert process.returncode == (130 if kill == signal.SIGINT else -signal.SIGKILL)
    assert not (tmp_path / 'out').exists()
    before = journal.read_bytes()
    journal.write_bytes(before[:-3])        # truncates the last record
    assert main(command) == 0
    assert main([str(source), str(tmp_path / 'whole'), *QUICK]) == 0
    assert read(tmp_path / 'out') == read(tmp_path / 'whole') and len(masks(tmp_path / 'out')) == 100


def test_an_already_segmented_bag_describes_only_the_new_masks(tmp_path: Path) -> None:
    class_map = tmp_path / 'own.yaml'
    names = [f'class_{number}' for number in range(11)]
    class_map.write_text('name: own\nclasses:\n' + ''.join(
        f'- {{name: {name}, color: [{number}, 0, 0]}}\n' for number, name in enumerate(names)))
    old = [f'/segmentation/{name}' for name in ('mask', 'mask/compressed', 'timing', 'front/overlay', 'class_map')]
    source = write(tmp_path / 'in', [('/image', raw(0)), *((topic, text('old')) for topic in old), ('/diagnostics', text('a'))])
    assert main([str(source), str(tmp_path / 'out'), '--class-map', str(class_map), *QUICK]) == 0
    assert [name for name, _, _ in read(tmp_path / 'out')] == CLASSES + ['/image', '/segmentation/mask', '/diagnostics']
    with AnyReader([tmp_path / 'out']) as reader:
        (_, _, classes), (_, _, info) = [(item, at_ns, reader.deserialize(data, item.msgtype))
                                         for item, at_ns, data in reader.messages() if item.topic in CLASSES]
    assert (classes.name, classes.ids.tolist(), classes.names) == ('own', list(range(11)), names)
    assert [(item.class_id, item.class_name) for item in info.class_map] == list(enumerate(names))


def test_journal_keeps_masks_and_rejects_other_settings(tmp_path: Path) -> None:
    with Journal(tmp_path / 'a.partial', {'precision': 'float32'}) as journal:
        journal.add_mask(np.full((4, 6), 7, np.uint8))
        journal.add_reason('odd size')
        with pytest.raises(BagError, match='another process'):
            Journal(tmp_path / 'a.partial', {'precision': 'float32'})
    with Journal(tmp_path / 'a.partial', {'precision': 'float32'}) as journal:
        assert journal.done == 2 and journal.reasons == {'odd size': 1}
        first, second = journal.masks()
        assert first is not None and (first == 7).all() and first.shape == (4, 6) and second is None
    with pytest.raises(BagError, match='precision was float32, is int8'):
        Journal(tmp_path / 'a.partial', {'precision': 'int8'})


@pytest.mark.parametrize('left', [b'', bytes(20), b'[]'])
def test_journal_whose_settings_were_lost_in_a_power_cut_starts_over(tmp_path: Path, left: bytes) -> None:
    settings = {'precision': 'float32'}
    with Journal(tmp_path / 'a.partial', settings) as journal:
        journal.add_reason('odd size')
    (tmp_path / 'a.partial/state.json').write_bytes(left)
    with Journal(tmp_path / 'a.partial', settings) as journal:
        assert journal.done == 0 and not journal.reasons
        journal.add_reason('odd size')
    with Journal(tmp_path / 'a.partial', settings) as journal:
        assert journal.done == 1


@pytest.mark.parametrize(('make', 'extra', 'expected'), [
    (lambda path: None, [], 'does not exist'),
    (lambda path: path.mkdir(), [], 'not a rosbag2'),
    (lambda path: path.write_text('hello'), [], 'cannot read the bag'),
    (lambda path: write(path, [('/note', text('a'))]), [], '/note (String, 1)'),
    (lambda path: write(path, [('/image', raw(0))]), ['--topics', '/other'], '/image (Image, 1)'),
    (lambda path: write(path, [('/image', raw(0))]), ['--checkpoint', 'nothing'], 'nothing'),
])
def test_input_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, extra: list[str],
                                   expected: str) -> None:
    make(tmp_path / 'in')
    assert main([str(tmp_path / 'in'), str(tmp_path / 'out'), *QUICK, *extra]) == 1
    error = capsys.readouterr().err
    assert expected in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['../out', '.'])
def test_an_existing_output_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
                                    name: str) -> None:
    source = write(tmp_path / 'in', [('/image', raw(0))])
    (tmp_path / 'out').mkdir()
    monkeypatch.chdir(tmp_path / 'out')
    assert main([str(source), name, *QUICK]) == 1
    assert 'already exists' in capsys.readouterr().err and not list((tmp_path / 'out').iterdir())


def test_a_bag_with_unreadable_images_is_not_taken_for_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / 'in', [('/image', raw(number % 5)) for number in range(60)]) / 'in.mcap'
    content = bytearray(file.read_bytes())
    content[len(content) // 2:len(content) // 2 + 40_000] = bytes(40_000)
    file.write_bytes(content)
    assert main([str(tmp_path / 'in'), str(tmp_path / 'out'), *QUICK]) == 1
    assert 'of its 60 images can be read' in capsys.readouterr().err and not (tmp_path / 'out').exists()


def test_a_camera_without_images_gives_no_masks(tmp_path: Path) -> None:
    with Writer(tmp_path / 'in', version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.add_connection('/image', IMAGE, typestore=STORE)
    assert main([str(tmp_path / 'in'), str(tmp_path / 'out'), '--topics', '/image', *QUICK]) == 0
    assert [name for name, _, _ in read(tmp_path / 'out')] == CLASSES


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no /dev/full')
def test_a_full_disk_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / 'in', [('/image', raw(0))])
    (tmp_path / 'out.partial').mkdir()
    (tmp_path / 'out.partial' / '.partial_state.json').symlink_to('/dev/full')
    assert main([str(source), str(tmp_path / 'out'), *QUICK]) == 1
    assert 'free some space and run the same command again' in capsys.readouterr().err


def test_camera_topics_are_detected() -> None:
    topics = [Topic('/front/image_raw', IMAGE, 3, 'rgb8'), Topic('/front/image_raw/compressed', COMPRESSED, 3, 'jpeg'),
              Topic('/rear/image/compressed', COMPRESSED, 3, 'jpeg'), Topic('/front/depth/image_raw', IMAGE, 3, '16UC1'),
              Topic('/stereo/range', IMAGE, 3, '32FC1'), Topic('/segmentation/overlay', IMAGE, 3, 'rgb8')]
    assert [(item.topic, item.mask_topic) for item in choose_cameras(topics, [])] == [
        ('/front/image_raw', '/segmentation/front/mask'), ('/rear/image/compressed', '/segmentation/rear/mask')]
    assert choose_cameras(topics, ['/front/image_raw'])[0].mask_topic == '/segmentation/mask'
    named = choose_cameras(topics, ['a=/front/image_raw', 'b=/rear/image/compressed'])
    assert [item.mask_topic for item in named] == ['/segmentation/a/mask', '/segmentation/b/mask']
    assert camera_names(['/a/left/image', '/b/left/image']) == {'/a/left/image': 'a_left', '/b/left/image': 'b_left'}


@pytest.mark.parametrize(('topic', 'is_output'), [
    ('/segmentation/mask', True), ('/segmentation/front/overlay/compressed', True), ('/robot/segmentation/timing', True),
    ('/fleet/robot/segmentation/left/class_map', True), ('/segmentation', False), ('/image', False),
    ('/segmentation_lidar/mask', False), ('/segmentation/instances', False), ('/robot/mask', False)])
def test_outputs_of_a_node_are_recognised_in_any_namespace(topic: str, is_output: bool) -> None:
    assert is_of_node(topic) is is_output


def test_ros_is_not_loaded() -> None:
    code = 'import sys, fanet_ros.tools.segment_bag.command; sys.exit("rclpy" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], env=dict(os.environ)).returncode == 0


def test_masks_as_png_hold_the_same_labels_and_are_found_by_other_tools(tmp_path: Path) -> None:
    images = [raw(0), raw(1, 'junk'), raw(2)]
    source = write(tmp_path / 'in', [('/camera/image_raw', image) for image in images])
    assert main([str(source), str(tmp_path / 'raw'), *QUICK]) == 0
    assert main([str(source), str(tmp_path / 'png'), *QUICK, '--masks', 'png']) == 0
    expected = masks(tmp_path / 'raw')
    topic = '/segmentation/mask/compressed'
    found = [STORE.deserialize_cdr(data, COMPRESSED) for name, _, data in read(tmp_path / 'png') if name == topic]
    assert [item.header for item in found] == [item.header for item in expected] and len(found) == 2
    for item, other in zip(found, expected):
        assert item.format == 'mono8; png compressed mono8'
        assert np.array_equal(cv2.imdecode(item.data, cv2.IMREAD_UNCHANGED), other.data.reshape(64, 96))
    assert not masks(tmp_path / 'png')
    comparison = ['compare_masks', str(tmp_path / 'raw'), str(tmp_path / 'png'), '--output', str(tmp_path / 'comparison')]
    assert run(comparison[0], comparison[1:]) == 0
    result = json.loads((tmp_path / 'comparison/comparison.json').read_text())
    assert result['frames'] == 2 and result['agreement'] == 1
    samples = load_bag(tmp_path / 'png', '/camera/image_raw', topic, 11, lambda _: True, SampleCache())
    assert np.array_equal(samples[1].labels, expected[1].data.reshape(64, 96))
