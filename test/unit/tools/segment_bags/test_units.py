# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The units of a bag together contain each image once, in order."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from rosbags.rosbag2 import StoragePlugin
from street_bags import PERIOD_NS, write_street_bag

from fanet_ros.bags.camera_reader import CameraReader
from fanet_ros.bags.metadata import INFORMATION, METADATA, joined_metadata
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import choose_cameras
from fanet_ros.inference import SegmenterOptions
from fanet_ros.tools.segment_bags.jobs import Settings
from fanet_ros.tools.segment_bags.units import MIN_UNIT_IMAGES, cut


def settings(max_unit_images: int = 300, min_units: int = 1) -> Settings:
    return Settings('', '', '', SegmenterOptions(), (), 'input', False, False, '', max_unit_images, min_units)


def split_bag(path: Path, *starts: int, frames: int = 40) -> Path:
    """A split bag with one file of `frames` images per start frame."""
    path.mkdir(parents=True)
    parts = [write_street_bag(path.parent / f'{path.name}_{number}', frames, first=start) for number, start in enumerate(starts)]
    for part in parts:
        shutil.copy(part / f'{part.name}.mcap', path)
    of_parts = [yaml.safe_load((part / METADATA).read_text())[INFORMATION] for part in parts]
    (path / METADATA).write_text(yaml.safe_dump({INFORMATION: joined_metadata(of_parts)}, sort_keys=False))
    return path


def check_that_units_cover_the_bag(path: Path, units: int) -> None:
    with CameraReader(path) as bag:
        cameras = choose_cameras(bag.list_topics(), [])
        whole = [image.stamp_ns for image in bag.images(cameras)]
        cuts = cut(bag, len(whole), settings(max_unit_images=-(-len(whole) // units)), False)
        parts = [[image.stamp_ns for image in bag.images(cameras, start=item.start, stop=item.stop)] for item in cuts]
    assert len(cuts) == units and all(parts)
    assert [stamp for part in parts for stamp in part] == whole


@pytest.mark.parametrize('units', [1, 2, 3])
@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_each_image_is_in_exactly_one_unit(tmp_path: Path, storage: StoragePlugin, units: int) -> None:
    check_that_units_cover_the_bag(write_street_bag(tmp_path / 'bag', 100, storage=storage), units)


def test_a_split_bag_with_and_without_metadata(tmp_path: Path) -> None:
    path = split_bag(tmp_path / 'bag', 0, 40, 80)
    check_that_units_cover_the_bag(path, 3)
    (path / METADATA).unlink()
    check_that_units_cover_the_bag(path, 3)


def test_a_bag_with_overlapping_files_is_not_cut(tmp_path: Path) -> None:
    with BagReader(split_bag(tmp_path / 'bag', 0, 20)) as bag:
        assert len(cut(bag, 80, settings(max_unit_images=40), False)) == 1


def test_a_compressed_bag_is_not_cut(tmp_path: Path) -> None:
    zstd = pytest.importorskip('backports.zstd')
    plain = write_street_bag(tmp_path / 'bag', 80) / 'bag.mcap'
    packed = tmp_path / 'packed.mcap.zstd'
    packed.write_bytes(zstd.compress(plain.read_bytes()))
    for path, units in ((plain, 2), (packed, 1)):
        with BagReader(path) as bag:
            assert len(cut(bag, 80, settings(max_unit_images=40), False)) == units


def test_length_of_a_unit(tmp_path: Path) -> None:
    with BagReader(write_street_bag(tmp_path / 'bag', 10)) as bag:
        assert len(cut(bag, 3000, settings(300), False)) == 10
        assert len(cut(bag, 3000, settings(300, min_units=20), False)) == 20        # ten units for each of two workers
        assert len(cut(bag, MIN_UNIT_IMAGES + 1, settings(300, min_units=20), False)) == 2
        assert len(cut(bag, MIN_UNIT_IMAGES, settings(300, min_units=20), False)) == 1
        assert len(cut(bag, 3000, settings(300), needs_order=True)) == 1
        assert len(cut(bag, 0, settings(300), False)) == 1


def test_images_received_at_the_same_time_stay_together(tmp_path: Path) -> None:
    with BagReader(write_street_bag(tmp_path / 'bag', 2)) as bag:
        units = cut(bag, 64, settings(1), False)
        found = [[at_ns for _, at_ns, _ in bag.messages(start=item.start, stop=item.stop)] for item in units]
    assert [times for times in found if times] == [[10**12] * 2, [10**12 + PERIOD_NS] * 2]
