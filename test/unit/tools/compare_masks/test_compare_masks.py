# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Agreement, confusions and the frames that differ most, for masks with known differences."""
from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from masked_bags import CLASSES, mask, write_masked_bag
from rosbags.rosbag2 import StoragePlugin
from street_bags import HEIGHT, PERIOD_NS, WIDTH, write_street_bag

from fanet_ros.bags.camera_reader import CameraReader
from fanet_ros.bags.copying import copy_topics
from fanet_ros.bags.mask_topics import masked_cameras
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import choose_cameras
from fanet_ros.bags.writer import BagWriter
from fanet_ros.inference import ClassMap
from fanet_ros.tools.compare_masks.command import main
from fanet_ros.tools.compare_masks.pairs import MaskPairs
from fanet_ros.tools.row_table import has_pyarrow
from fanet_ros.tools.segment_bag.output import write_bag

PIXELS = HEIGHT * WIDTH
TOPIC = '/camera/image_raw'


def stamp(number: int) -> int:
    return 100 * 10**9 + number * PERIOD_NS + 7


def result(output: Path) -> dict[str, Any]:
    found = json.loads((output / 'comparison.json').read_text())
    assert isinstance(found, dict)
    return found


def rows(output: Path) -> list[dict[str, Any]]:
    if has_pyarrow():
        import pyarrow.parquet
        found: list[dict[str, Any]] = pyarrow.parquet.read_table(output / 'frames.parquet').to_pylist()
        return found
    with open(output / 'frames.csv', newline='') as file:
        return [{**row, **{name: float(row[name]) for name in ('differs', 'pair_differs')}, 'stamp_ns': int(row['stamp_ns'])}
                for row in csv.DictReader(file)]


@pytest.fixture(scope='module')
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """For reading only. Bag mon/one: 120 frames, B sees a car of 60 px in frame 5, 50 in 6, 600 in 110. Bag two: no difference."""
    tmp_path = tmp_path_factory.mktemp('archives')
    one, two = write_street_bag(tmp_path / 'in/one', 120), write_street_bag(tmp_path / 'in/two', 3)
    cars = {5: 60, 6: 50, 110: 600}
    for side in 'ab':
        write_masked_bag(one, tmp_path / side / 'mon/one',
                         (mask(cars.get(number, 0) if side == 'b' else 0) for number in range(120)))
        write_masked_bag(two, tmp_path / side / 'two', (mask(10) for _ in range(3)))
    return tmp_path / 'a', tmp_path / 'b'


def test_figures_table_and_sheet(archives: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = archives
    output = tmp_path / 'out'
    assert main([str(a), str(b), '--output', str(output), '--quiet']) == 0
    found, pixels = result(output), 123 * PIXELS
    assert found['frames'] == 123 and found['failed'] == {} and found['left_out'] == {}
    assert found['agreement'] == pytest.approx(1 - 710 / pixels)
    assert found['class_iou'] == pytest.approx(
        {'sky': 1, 'road': (pixels / 2 - 740) / (pixels / 2 - 30), 'car': 30 / 740})
    assert found['confusions'] == [{'a': 'road', 'b': 'car', 'share': pytest.approx(710 / pixels)}]
    assert found['share_in_b']['car'] == pytest.approx(740 / pixels)
    matrix = np.array(found['matrix'])
    assert found['classes'] == ['unlabelled', 'sky', 'road', 'car'] and matrix.sum() == pytest.approx(1)
    assert matrix[2, 3] == pytest.approx(710 / pixels) and matrix[3, 2] == 0
    assert {bag['bag']: (bag['frames'], bag['agreement']) for bag in found['bags']} == {
        'mon/one': (120, pytest.approx(1 - 710 / 120 / PIXELS)), 'two': (3, 1)}
    # Frame 6 differs too, but is 0.1 s after frame 5.
    assert [(row['bag'], row['topic'], row['stamp_ns'], row['a'], row['b']) for row in found['most_different']] == [
        ('mon/one', TOPIC, stamp(110), 'road', 'car'), ('mon/one', TOPIC, stamp(5), 'road', 'car')]
    table = rows(output)
    assert [row['stamp_ns'] for row in table] == [stamp(number) for number in (*range(120), *range(3))]
    assert {row['stamp_ns']: row['differs'] for row in table if row['differs']} == pytest.approx(
        {stamp(5): 60 / PIXELS, stamp(6): 50 / PIXELS, stamp(110): 600 / PIXELS})
    sheet = cv2.imread(str(output / 'differences.jpg'))
    red = (sheet[..., 2] > 180) & (sheet[..., 1] < 60) & (sheet[..., 0] < 60)
    marked = red[:, -330:].sum()        # the column of differences
    scale = (300 / WIDTH)**2
    assert marked == pytest.approx(660 * scale, rel=0.15)
    text = capsys.readouterr().out
    assert '123 frames: 99.9% of the pixels agree' in text and 'A says road, B says car' in text
    before = (output / 'comparison.json').read_bytes(), (output / 'differences.jpg').read_bytes()
    assert main([str(a), str(b), '--output', str(output), '--quiet']) == 0
    assert before == ((output / 'comparison.json').read_bytes(), (output / 'differences.jpg').read_bytes())
    assert sorted(path.name for path in output.iterdir()) == [
        'comparison.json', 'differences.jpg', 'frames.parquet' if has_pyarrow() else 'frames.csv']


def test_every_nth_frame(archives: tuple[Path, Path], tmp_path: Path) -> None:
    a, b = archives
    assert main([str(a), str(b), '--output', str(tmp_path / 'out'), '--every', '5', '--quiet']) == 0
    assert result(tmp_path / 'out')['frames'] == 24 + 1
    assert [row['stamp_ns'] for row in rows(tmp_path / 'out')][:3] == [stamp(0), stamp(5), stamp(10)]


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    source = write_street_bag(tmp_path / 'in', 1)
    a = write_masked_bag(source, tmp_path / 'a', [mask(100)])
    other = ClassMap('other', ('road', 'sky', 'bus'), ((1, 1, 1), (2, 2, 2), (3, 3, 3)))
    labels = np.array([1, 0, 2], np.uint8)[mask(100)]
    labels[0, :10] = 255
    b = write_masked_bag(source, tmp_path / 'b', [labels], other)
    assert main([str(a), str(b), '--output', str(tmp_path / 'out'), '--quiet']) == 0      # single bags, whatever their names
    found = result(tmp_path / 'out')
    assert (found['only_in_a'], found['only_in_b']) == (['car'], ['bus'])
    assert found['agreement'] == pytest.approx(1 - 110 / PIXELS) and found['agreement_on_common_classes'] == 1
    assert [(item['a'], item['b']) for item in found['confusions']] == [('car', 'bus'), ('sky', 'unlabelled')]
    assert found['class_iou']['bus'] == 0 and found['share_in_b']['unlabelled'] == pytest.approx(10 / PIXELS)


def test_what_cannot_be_paired_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_street_bag(tmp_path / 'in', 40)
    a = write_masked_bag(source, tmp_path / 'a', [None if number == 7 else mask(number) for number in range(40)])
    b = write_masked_bag(source, tmp_path / 'b', [None if number in (8, 9) else mask(number) for number in range(40)])
    assert main([str(a), str(b), '--output', str(tmp_path / 'out'), '--quiet']) == 0
    found = result(tmp_path / 'out')
    assert found['left_out'] == {'masks only in A': 2, 'masks only in B': 1}
    assert found['frames'] == 37 and found['agreement'] == 1 and found['most_different'] == []
    assert not (tmp_path / 'out/differences.jpg').exists()
    assert 'not compared: 2 masks only in A, 1 masks only in B' in capsys.readouterr().out


def test_masks_received_later_and_stamps_that_repeat(tmp_path: Path) -> None:
    source = write_street_bag(tmp_path / 'in', 30, storage=StoragePlugin.SQLITE3)
    plain = write_masked_bag(source, tmp_path / 'plain', [mask(number) for number in range(30)])
    late = _changed(plain, tmp_path / 'late', delay_ns=3 * PERIOD_NS)
    assert main([str(plain), str(late), '--output', str(tmp_path / 'out'), '--quiet']) == 0
    assert (result(tmp_path / 'out')['frames'], result(tmp_path / 'out')['agreement']) == (30, 1)
    again = _changed(plain, tmp_path / 'again', delay_ns=3600 * 10**9)      # the drive was replayed, and recorded again
    for pair in ((plain, again), (again, plain)):
        assert main([str(pair[0]), str(pair[1]), '--output', str(tmp_path / 'out'), '--quiet']) == 0
        assert (result(tmp_path / 'out')['frames'], result(tmp_path / 'out')['left_out']) == (30, {})
    no_stamp = _changed(plain, tmp_path / 'no_stamp', stamps=False)
    fewer = _changed(write_masked_bag(source, tmp_path / 'fewer', [
        None if number in (4, 11) else mask(number) for number in range(30)]), tmp_path / 'fewer_no_stamp', stamps=False)
    for pair in ((no_stamp, fewer), (fewer, no_stamp)):
        with BagReader(pair[0]) as a, BagReader(pair[1]) as b:
            pairs = MaskPairs(a, b, masked_cameras(a), masked_cameras(b))
            assert [left.received_ns == right.received_ns for left, right in pairs] == 28 * [True]
            assert sorted(pairs.unpaired) == [0, 2]


def write_two_cameras(folder: Path, frames: int) -> None:
    """The bag `in`, with as many frames of each of two cameras."""
    with BagWriter(folder / 'in') as writer:
        for topic in ('/front/image', '/left/image'):
            with BagReader(write_street_bag(folder / topic[1:-6], frames, topic=topic)) as bag:
                copy_topics(writer, bag, bag.select([topic]))
                for item, at_ns, raw in bag.messages(bag.select([topic])):
                    writer.write(topic, item.msgtype, at_ns, raw)


def test_each_camera_is_compared_with_itself(tmp_path: Path) -> None:
    write_two_cameras(tmp_path, 12)
    outputs = []
    for side, car in (('a', (0, 0)), ('b', (0, 40))):
        path = tmp_path / side
        with CameraReader(tmp_path / 'in') as both:
            cameras = choose_cameras(both.list_topics(), ['x=/left/image', 'y=/front/image'])       # not their own names
            order = [item.topic for item, _, _ in both.messages()]
            write_bag(path, both, cameras, iter([mask(car[topic == '/left/image']) for topic in order]), CLASSES, (), None,
                      lambda: None)
        with BagReader(path) as bag:
            assert {camera.topic: camera.mask_topic for camera in masked_cameras(bag)} == {
                '/left/image': '/segmentation/x/mask', '/front/image': '/segmentation/y/mask'}
        outputs.append(str(path))
    assert main([*outputs, '--output', str(tmp_path / 'out'), '--quiet']) == 0
    differing = {row['topic'] for row in rows(tmp_path / 'out') if row['differs']}
    assert differing == {'/left/image'} and result(tmp_path / 'out')['frames'] == 24


def test_classes_of_a_bag_that_cannot_be_compared(tmp_path: Path) -> None:
    """B has no class map for its second camera, which is noticed after the classes of the first are known."""
    write_two_cameras(tmp_path, 2)
    a = write_masked_bag(tmp_path / 'in', tmp_path / 'a', [mask()] * 4)
    with BagReader(a) as bag, BagWriter(tmp_path / 'b') as writer:
        kept = [item for item in bag.connections if item.topic != '/segmentation/left/class_map']
        copy_topics(writer, bag, kept)
        for item, at_ns, raw in bag.messages(kept):
            writer.write(item.topic, item.msgtype, at_ns, raw)
    assert main([str(a), str(tmp_path / 'b'), '--output', str(tmp_path / 'out'), '--quiet']) == 2
    found = result(tmp_path / 'out')
    assert 'expected one class map on /segmentation/left/class_map' in found['failed']['a']
    assert len(found['matrix']) == len(found['classes']) == 4


def test_class_names_that_are_not_a_line_of_text_fail_their_bag_alone(tmp_path: Path) -> None:
    source = write_street_bag(tmp_path / 'in', 1)
    for side in 'ab':
        write_masked_bag(source, tmp_path / side / 'good', [mask()])
        odd = write_masked_bag(source, tmp_path / side / 'other', [mask()])
        with BagReader(odd) as bag, BagWriter(tmp_path / side / 'odd') as writer:
            copy_topics(writer, bag, bag.connections)
            for item, at_ns, raw in bag.messages():
                writer.write(item.topic, item.msgtype, at_ns, bytes(raw).replace(b'road', b'ro\nd'))
        shutil.rmtree(odd)
    assert main([str(tmp_path / 'a'), str(tmp_path / 'b'), '--output', str(tmp_path / 'out'), '--quiet']) == 1
    found = result(tmp_path / 'out')
    assert found['frames'] == 1 and "/segmentation/class_map: class map 'three': expected names" in found['failed']['odd']


def test_bags_that_cannot_be_compared_are_named_and_the_others_are_done(
        archives: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in archives)
    (b / 'two').rename(b / 'three')
    source = write_street_bag(a / 'unmasked', 2)
    write_masked_bag(source, b / 'unmasked', [mask(), mask()])
    write_masked_bag(write_street_bag(tmp_path / 'in', 30), a / 'damaged', [mask()] * 30)
    damaged = Path(shutil.copytree(a / 'damaged', b / 'damaged')) / 'damaged.mcap'
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2:len(content) // 2 + 40_000] = bytes(40_000)
    damaged.write_bytes(content)
    assert main([str(a), str(b), '--output', str(tmp_path / 'out'), '--quiet']) == 1
    found = result(tmp_path / 'out')
    reasons = found['failed']
    assert 'of its 30 masks can be read' in reasons.pop('damaged')
    compared = {bag['bag']: bag['frames'] for bag in found['bags']}
    assert compared['mon/one'] == 120 and 0 < compared['damaged'] < 30 and found['frames'] == sum(compared.values())
    assert reasons == {
        'two': 'only in A', 'three': 'only in B',
        'unmasked': f'{source} has no masks: expected a bag written by segment_bag or segment_bags'}
    assert 'two: failed: only in A' in capsys.readouterr().err


def test_a_folder_with_other_contents_is_not_touched(
        archives: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'frames.parquet').write_text('of segment_bags')
    assert main([str(archives[0]), str(archives[1]), '--output', str(tmp_path), '--quiet']) == 2
    assert 'holds no comparison' in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ['of segment_bags']


@pytest.mark.parametrize('b', ['nothing', 'empty', 'other'])
def test_nothing_to_compare(tmp_path: Path, b: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_street_bag(tmp_path / 'in', 1)
    write_masked_bag(source, tmp_path / 'a/bag', [mask()])
    (tmp_path / 'empty').mkdir()
    write_masked_bag(source, tmp_path / 'other/elsewhere', [mask()])
    assert main([str(tmp_path / 'a'), str(tmp_path / b), '--quiet']) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith('compare_masks: ')


def _changed(source: Path, path: Path, delay_ns: int = 0, stamps: bool = True) -> Path:
    """Copy a bag with its masks received later, or all images and masks without a stamp."""
    with BagReader(source) as bag, BagWriter(path) as writer:
        copy_topics(writer, bag, bag.connections)
        messages = []
        for item, at_ns, raw in bag.messages():
            if not stamps and item.msgtype.endswith('/Image'):
                raw = raw[:4] + bytes(8) + raw[12:]
            messages.append((at_ns + delay_ns * (item.topic == '/segmentation/mask'), item, raw))
        for at_ns, item, raw in sorted(messages, key=lambda message: message[0]):
            writer.write(item.topic, item.msgtype, at_ns, raw)
    return path


def test_a_folder_in_which_a_comparison_was_killed_can_be_used_again(archives: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / '.partial_frames.parquet').write_text('half of it')
    assert main([str(archives[0] / 'two'), str(archives[1] / 'two'), '--output', str(tmp_path), '--quiet']) == 0


@pytest.mark.parametrize('written', [1, 2])
def test_a_comparison_killed_after_any_of_its_files_can_be_repeated(
        archives: tuple[Path, Path], tmp_path: Path, written: int) -> None:
    arguments = [str(archives[0] / 'two'), str(archives[1] / 'two'), '--output', str(tmp_path / 'out'), '--quiet']
    killed = f'''if True:
        import os
        from fanet_ros.tools.compare_masks.command import main
        replace, done = os.replace, []
        def last_replace(*paths):
            replace(*paths)
            done.append(paths)
            if len(done) == {written}:
                os._exit(9)
        os.replace = last_replace
        main({arguments!r})'''
    assert subprocess.run([sys.executable, '-c', killed], check=False).returncode == 9
    assert main(arguments) == 0
