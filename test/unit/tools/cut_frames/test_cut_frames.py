# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Selected frames as small bags and as a folder to train on."""
from __future__ import annotations

import csv
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional, Sequence

import numpy as np
import pytest
from masked_bags import CLASSES, mask, write_masked_bag
from rosbags.rosbag2 import StoragePlugin
from street_bags import PERIOD_NS, STORE, read_messages, street_image, write_street_bag
from written_bags import FrameWriter, stamp_ns, write_bag

from fanet_ros.bags.copying import copy_topics, custom_data_of
from fanet_ros.bags.definitions import definition_in
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.writer import BagWriter
from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.hold_out import split
from fanet_ros.datasets.layouts import find_class_map, load_dataset
from fanet_ros.images.decoding import to_rgb
from fanet_ros.tools.cut_frames.command import main
from fanet_ros.tools.segment_bag.classes import LATCHED_QOS

TOPIC, TF, TF_TYPE = '/camera/image_raw', '/tf_static', 'tf2_msgs/msg/TFMessage'
START_NS = 10**12


def stamp(number: int) -> int:
    return 100 * 10**9 + number * PERIOD_NS + 7


def select(path: Path, rows: Sequence[tuple[str, int]], topic: str = TOPIC) -> str:
    """Write a selection of (bag, frame number)."""
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['score', 'stamp_ns', 'bag', 'topic'])
        writer.writerows([0.5, stamp(number), bag, topic] for bag, number in rows)
    return str(path)


def listed(output: Path) -> list[dict[str, str]]:
    with open(output / 'frames.csv', newline='') as file:
        return list(csv.DictReader(file))


def add_static_transforms(source: Path, path: Path, periods: Sequence[int]) -> Path:
    """Copy a bag with a latched message on /tf_static in each of these periods."""
    with BagReader(source) as bag, BagWriter(path, custom_data=custom_data_of(source)) as writer:
        copy_topics(writer, bag, bag.connections)
        writer.add_topic(TF, TF_TYPE, [LATCHED_QOS], definition_in(STORE, TF_TYPE))
        messages = [(at_ns, item.topic, item.msgtype, raw) for item, at_ns, raw in bag.messages()]
        messages += [(START_NS + period * PERIOD_NS + 1, TF, TF_TYPE, transforms(period)) for period in periods]
        for at_ns, topic, kind, raw in sorted(messages, key=lambda message: message[0]):
            writer.write(topic, kind, at_ns, raw)
    return path


def transforms(number: int) -> bytes:
    """A TFMessage with one transform, of frame `number`."""
    types = STORE.types
    header = types['std_msgs/msg/Header'](types['builtin_interfaces/msg/Time'](0, 0), f'frame_{number}')
    transform = types['geometry_msgs/msg/Transform'](
        types['geometry_msgs/msg/Vector3'](0.0, 0.0, 0.0), types['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0))
    stamped = types['geometry_msgs/msg/TransformStamped'](header, 'base', transform)
    return bytes(STORE.serialize_cdr(types[TF_TYPE]([stamped]), TF_TYPE))


@pytest.fixture(scope='module')
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For reading only. Masked bags: mon/one (60 frames, static transforms at 1, 2, 30, 38), tue (20 frames from 100, sqlite3)."""
    tmp_path = tmp_path_factory.mktemp('archive')
    one, tue = write_street_bag(tmp_path / 'in/one', 60), write_street_bag(
        tmp_path / 'in/tue', 20, first=100, storage=StoragePlugin.SQLITE3)
    masked = write_masked_bag(one, tmp_path / 'in/one_masked', (mask(number) for number in range(60)))
    (tmp_path / 'masks/mon').mkdir(parents=True)
    add_static_transforms(masked, tmp_path / 'masks/mon/one', (1, 2, 30, 38))
    write_masked_bag(tue, tmp_path / 'masks/tue', (mask(number) for number in range(100, 120)))
    return tmp_path / 'masks'


def test_bags_have_all_messages_around_the_frames_and_what_was_latched_before(archive: Path, tmp_path: Path) -> None:
    selection = select(tmp_path / 'pick.csv', [('mon/one', 10), ('mon/one', 12), ('mon/one', 12), ('mon/one', 40), ('tue', 100)])
    output = tmp_path / 'out'
    assert main([selection, '--archive', str(archive), '--output', str(output), '--before', '0.2', '--after', '0.3']) == 0
    before, after = read_messages(archive / 'mon/one'), read_messages(output / 'mon/one')
    start, second = START_NS + 8 * PERIOD_NS, START_NS + 38 * PERIOD_NS
    class_map, label_info = (next(raw for name, _, raw in before if name == topic)
                             for topic in ('/segmentation/class_map', '/segmentation/label_info'))
    inside = [[(name, at_ns, raw) for name, at_ns, raw in before if begin <= at_ns <= begin + periods * PERIOD_NS]
              for begin, periods in ((start, 7), (second, 5))]
    assert after == [('/segmentation/class_map', start, class_map), ('/segmentation/label_info', start, label_info),
                     (TF, start, transforms(2)), *inside[0], (TF, second, transforms(30)), *inside[1]]
    assert len(inside[0]) == 8 * 3 and len(inside[1]) == 6 * 3 + 1
    with BagReader(archive / 'mon/one') as original, BagReader(output / 'mon/one') as cut:
        assert [(item.topic, item.msgtype, item.msgdef, item.digest, item.ext) for item in cut.connections] == [
            (item.topic, item.msgtype, item.msgdef, item.digest, item.ext)
            for item in sorted(original.connections, key=lambda item: not item.ext.offered_qos_profiles or
                               item.ext.offered_qos_profiles[0].durability != LATCHED_QOS.durability)]
    assert custom_data_of(output / 'mon/one') == custom_data_of(archive / 'mon/one') != {}
    assert (output / 'tue/tue.db3').is_file()
    assert [(row['bag'], row['stamp_ns']) for row in listed(output)] == [
        *(('mon/one', str(stamp(number))) for number in (10, 12, 40)), ('tue', str(stamp(100)))]
    assert not list(tmp_path.glob('*.partial'))


def test_only_some_topics(archive: Path, tmp_path: Path) -> None:
    selection = select(tmp_path / 'pick.csv', [('tue', 110)])
    assert main([selection, '--archive', str(archive), '--output', str(tmp_path / 'out'), '--topics', '/note', '--before', '0',
                 '--after', '0']) == 0
    assert [topic for topic, _, _ in read_messages(tmp_path / 'out/tue')] == [
        '/segmentation/class_map', '/segmentation/label_info', '/note']
    assert main([selection, '--archive', str(archive), '--output', str(tmp_path / 'none'), '--topics', '/notes']) == 2
    assert not (tmp_path / 'none').exists()


def test_a_folder_is_what_train_reads(archive: Path, tmp_path: Path) -> None:
    numbers = {'mon/one': (3, 4, 30, 31, 50), 'tue': (100, 101, 119)}
    selection = select(tmp_path / 'pick.csv', [(bag, number) for bag, chosen in numbers.items() for number in chosen])
    output = tmp_path / 'out'
    assert main([selection, '--archive', str(archive), '--output', str(output), '--as', 'folder']) == 0
    class_map = find_class_map(str(output / 'class_map.yaml'))
    assert class_map == CLASSES
    samples = load_dataset(DataConfig(layout='folder', path=str(output)), class_map)
    assert samples.names == tuple(f'{bag.replace("/", "_")}__camera_image_raw__{stamp(number)}'
                                  for bag, chosen in numbers.items() for number in chosen)
    images = _images(archive)
    for sample, row in zip(samples, listed(output)):
        number = (int(row['stamp_ns']) - stamp(0)) // PERIOD_NS
        assert (row['name'], row['folder'], row['has_labels'], row['topic']) == (sample.name, 'images', '1', TOPIC)
        assert (sample.labels == mask(number)).all() and (sample.rgb == images[row['bag'], number]).all()
    _, held_out = split(samples, 0.3)
    assert held_out.names == samples.names[5:]      # a whole drive


def test_images_without_a_mask(tmp_path: Path) -> None:
    source = write_street_bag(tmp_path / 'in/some', 10)
    write_masked_bag(source, tmp_path / 'masks/some', (None if number == 5 else mask() for number in range(10)))
    selection = select(tmp_path / 'pick.csv', [('some', 4), ('some', 5)])
    assert main([selection, '--archive', str(tmp_path / 'masks'), '--output', str(tmp_path / 'out'), '--as', 'folder']) == 0
    files = sorted(str(path.relative_to(tmp_path / 'out')) for path in (tmp_path / 'out').rglob('*.png'))
    name = 'some__camera_image_raw__'
    assert files == [f'images/{name}{stamp(4)}.png', f'labels/{name}{stamp(4)}.png', f'unlabelled/{name}{stamp(5)}.png']
    assert [(row['folder'], row['has_labels']) for row in listed(tmp_path / 'out')] == [('images', '1'), ('unlabelled', '0')]
    # From the archive itself, which has no masks.
    assert main([selection, '--archive', str(tmp_path / 'in'), '--output', str(tmp_path / 'plain'), '--as', 'folder']) == 0
    assert sorted(str(path.relative_to(tmp_path / 'plain')) for path in (tmp_path / 'plain').rglob('*')) == [
        'frames.csv', 'images', f'images/{name}{stamp(4)}.png', f'images/{name}{stamp(5)}.png']


def test_names_are_unique(tmp_path: Path) -> None:
    for name in ('a/b', 'a_b'):
        write_street_bag(tmp_path / 'in' / name, 2)
    selection = select(tmp_path / 'pick.csv', [('a/b', 0), ('a_b', 0), ('a_b', 1)])
    assert main([selection, '--archive', str(tmp_path / 'in'), '--output', str(tmp_path / 'out'), '--as', 'folder']) == 0
    names = [row['name'] for row in listed(tmp_path / 'out')]
    assert len({*names}) == 3 and {path.stem for path in (tmp_path / 'out/images').iterdir()} == {*names}


def test_missing_frames_are_named(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = Path(shutil.copytree(archive, tmp_path / 'masks'))
    damaged = archive / 'damaged/damaged.mcap'
    write_masked_bag(write_street_bag(tmp_path / 'in/damaged', 30), archive / 'damaged', [mask()] * 30)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2:len(content) // 2 + 40_000] = bytes(40_000)
    damaged.write_bytes(content)
    selection = select(tmp_path / 'pick.csv', [('tue', 100), ('tue', 99), ('mon', 3), ('../masks/tue', 101), ('damaged', 25)])
    for kind in ('bag', 'folder'):
        output = tmp_path / kind
        assert main([selection, '--archive', str(archive), '--output', str(output), '--as', kind]) == 1
        error = capsys.readouterr().err
        assert f'missing: tue {TOPIC} {stamp(99)}: no image with this stamp on the topic' in error
        assert f"missing: mon {TOPIC} {stamp(3)}: no bag 'mon' in {archive}" in error
        assert "no bag '../masks/tue'" in error and 'missing: damaged' in error
        assert [row['bag'] for row in listed(output)] == ['tue']
        assert not (output / 'damaged').exists() and not list(tmp_path.glob('*.partial'))


def test_classes_of_a_bag_of_which_nothing_is_kept_do_not_bind_the_others(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first bag has two cameras with different classes."""
    def write(name: str, classes: dict[str, tuple[str, ...]]) -> None:
        def fill(writer: FrameWriter) -> None:
            for camera, names in classes.items():
                writer.class_map(f'/segmentation/{camera}/class_map', 0, names)
                writer.image(f'/{camera}/image_raw', 1, np.zeros((64, 96, 3), np.uint8), frame_id=camera)
                writer.image(f'/segmentation/{camera}/mask', 1, np.zeros((64, 96), np.uint8), frame_id=camera)
        write_bag(tmp_path / 'archive' / name, fill)
    (tmp_path / 'archive').mkdir()
    write('a', {'front': ('air', 'road'), 'rear': ('sky', 'street')})
    write('b', {'front': ('sky', 'street')})
    (tmp_path / 'pick.csv').write_text('bag,topic,stamp_ns\n' + ''.join(
        f'{bag},/{camera}/image_raw,{stamp_ns(1)}\n' for bag, camera in (('a', 'front'), ('a', 'rear'), ('b', 'front'))))
    selection, archive, output = (tmp_path / name for name in ('pick.csv', 'archive', 'out'))
    assert main([str(selection), '--archive', str(archive), '--output', str(output), '--as', 'folder']) == 1
    error = capsys.readouterr().err
    assert 'missing: a /front/image_raw' in error and 'missing: b' not in error
    assert [(row['bag'], row['has_labels']) for row in listed(output)] == [('b', '1')]
    assert find_class_map(str(output / 'class_map.yaml')).names == ('sky', 'street')


def test_images_are_found_whatever_the_clocks_do(tmp_path: Path) -> None:
    with BagReader(write_street_bag(tmp_path / 'in', 40)) as bag, BagWriter(tmp_path / 'archive/bag') as writer:
        copy_topics(writer, bag, bag.connections)
        for number, (item, at_ns, raw) in enumerate(bag.messages()):
            writer.write(item.topic, item.msgtype, at_ns + (100 * 10**9 if number > 30 else 0), raw)    # the clock was set
    selection = select(tmp_path / 'pick.csv', [('bag', number) for number in (3, 20, 39)])
    assert main([selection, '--archive', str(tmp_path / 'archive'), '--output', str(tmp_path / 'out'), '--as', 'folder']) == 0
    assert [int(row['stamp_ns']) for row in listed(tmp_path / 'out')] == [stamp(3), stamp(20), stamp(39)]


@pytest.mark.parametrize(('content', 'reason'), [
    (None, 'No such file'), ('bag,topic\n', 'has no column stamp_ns'), ('bag,topic,stamp_ns\n', 'has no rows'),
    ('bag,topic,stamp_ns\ntue,/camera/image_raw,1.1e11\n', 'is not an integer'),
    (f'bag,topic,stamp_ns\ntue,{TOPIC},1\n', 'none of the selected frames')])
def test_a_selection_that_gives_nothing(
        archive: Path, tmp_path: Path, content: Optional[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    if content is not None:
        (tmp_path / 'pick.csv').write_text(content)
    assert main([str(tmp_path / 'pick.csv'), '--archive', str(archive), '--output', str(tmp_path / 'out')]) == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / 'out').exists() and not (tmp_path / 'out.partial').exists()


def test_an_existing_output_is_refused(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'out').mkdir()
    selection = select(tmp_path / 'pick.csv', [('tue', 100)])
    assert main([selection, '--archive', str(archive), '--output', str(tmp_path / 'out')]) == 2
    assert 'already exists' in capsys.readouterr().err and not list((tmp_path / 'out').iterdir())


def test_a_parquet_file(archive: Path, tmp_path: Path) -> None:
    pytest.importorskip('pyarrow')
    import pyarrow
    import pyarrow.parquet
    columns: dict[str, Any] = {'bag': ['tue'], 'score': [1.0], 'topic': [TOPIC], 'stamp_ns': [stamp(105)]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / 'pick.parquet')
    assert main([str(tmp_path / 'pick.parquet'), '--archive', str(archive), '--output', str(tmp_path / 'out')]) == 0
    assert [row['stamp_ns'] for row in listed(tmp_path / 'out')] == [str(stamp(105))]


def test_a_full_disk_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    selection = select(tmp_path / 'pick.csv', [('mon/one', 30)])

    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    done = subprocess.run([sys.executable, '-m', 'fanet_ros', 'cut_frames', selection, '--archive', str(archive), '--output',
                           str(tmp_path / 'out')], preexec_fn=limit_file_size, capture_output=True, text=True)
    assert done.returncode == 2 and 'File too large' in done.stderr
    assert not list(tmp_path.glob('out*'))


def _images(archive: Path) -> dict[tuple[str, int], np.ndarray]:
    """(bag, frame number) -> RGB."""
    found = {}
    for name in ('mon/one', 'tue'):
        with BagReader(archive / name) as bag:
            for _, _, message in bag.decoded(bag.select([TOPIC])):
                number = int(message.header.frame_id.removeprefix('optical_'))
                found[name, number] = to_rgb(message)
    assert found['mon/one', 3].shape == to_rgb(street_image(3)).shape
    return found
