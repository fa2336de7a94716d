# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each guarantee about masks, violated one at a time."""
from __future__ import annotations

from dataclasses import replace

import pytest

from fanet_ros.bags.checks import BagChecks, check_bag
from fanet_ros.bags.recording import RecordedImage, RecordedTiming

CAMERA = [RecordedImage(stamp, 0, 'camera', 4, 6, 18, 'rgb8') for stamp in (10, 20, 30)]
MASKS = [RecordedImage(stamp, 0, 'camera', 4, 6, 6, 'mono8', (0, 10, 255)) for stamp in (10, 30)]


def timing(stamp_ns: int) -> RecordedTiming:
    return RecordedTiming(stamp_ns, *[0] * 15)


def check(masks: list[RecordedImage]) -> BagChecks:
    return check_bag(CAMERA, masks, [timing(stamp) for stamp in (5, 10, 15, 20, 30)], class_count=11)


def test_a_sound_bag() -> None:
    checks = check(MASKS)
    assert checks.passed and checks.faults == {} and checks.masks == 2


def test_no_masks_is_not_sound() -> None:
    assert not check([]).passed


@pytest.mark.parametrize(('change', 'fault'), [
    ({'stamp_ns': 15}, 'without their camera frame'),
    ({'stamp_ns': 10}, 'stamp seen before'),
    ({'height': 5}, 'another size'),
    ({'width': 5, 'step': 5}, 'another size'),
    ({'frame_id': 'other'}, 'another frame_id'),
    ({'step': 8}, 'tightly packed'),
    ({'encoding': 'rgb8'}, 'tightly packed'),
    ({'values': (0, 11)}, 'not a class'),
])
def test_each_fault_is_counted_once(change: dict, fault: str) -> None:
    checks = check([MASKS[0], replace(MASKS[1], **change)])
    assert not checks.passed
    (what, count), = checks.faults.items()
    assert fault in what and count == 1


def test_a_mask_without_timing() -> None:
    checks = check_bag(CAMERA, MASKS, [timing(10)], class_count=11)
    assert checks.without_timing == 1 and not checks.passed


def test_masks_from_before_the_recording_are_not_a_fault() -> None:
    checks = check([replace(MASKS[0], stamp_ns=5), *MASKS])
    assert checks.passed and checks.before_recording == 1


def test_the_size_of_compressed_frames_is_unknown() -> None:
    camera = [replace(frame, height=0, width=0) for frame in CAMERA]
    assert check_bag(camera, MASKS, [timing(10), timing(30)], class_count=11).passed
