# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames of a drive are for adapting and which for judging."""
from __future__ import annotations

from pathlib import Path

import pytest

from fanet_ros.datasets import DatasetError
from fanet_ros.datasets.frame_set import FrameSet
from fanet_ros.datasets.layouts import find_class_map
from fanet_ros.datasets.source_frames import SourceRequest
from fanet_ros.tools.adapt.drive import LEAST_FRAMES, Drive, gather_drive


def drive_of(count: int) -> Drive:
    return Drive(FrameSet(Path('none'), count, 96, 128, False, True, (), None, ''), 'dusk')


def test_every_quarter_of_a_drive_has_frames_for_judging_apart_from_those_for_adapting() -> None:
    drive = drive_of(40)
    assert drive.held_out == [8, 9, 18, 19, 28, 29, 38, 39]
    assert drive.learnt == [*range(7), *range(11, 17), *range(21, 27), *range(31, 37)]


@pytest.mark.parametrize('count', [LEAST_FRAMES, 12, 31, 300])
def test_most_frames_are_for_adapting(count: int) -> None:
    drive = drive_of(count)
    assert 0.5 * count <= len(drive.learnt) <= 0.8 * count and 0.1 * count <= len(drive.held_out) <= 0.25 * count
    assert min(abs(one - other) for one in drive.learnt for other in drive.held_out) > 1


def test_too_few_frames_asked_for_are_not_blamed_on_the_drive(tmp_path: Path) -> None:
    request = SourceRequest('street', LEAST_FRAMES - 1, 1, find_class_map('camvid11'))
    with pytest.raises(DatasetError, match='^--frames is 7: expected at least 8$'):
        gather_drive(tmp_path / 'frames', request, (96, 128), quiet=True)
    assert not list(tmp_path.iterdir())
