# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Validation frames are not neighbours of training frames; a checkpoint recognises its training frames."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fanet_ros.datasets import Entry, Sample, Samples, load_folder
from fanet_ros.datasets.fingerprints import count_known, to_text
from fanet_ros.datasets.hold_out import split


def named(names: list[str]) -> Samples:
    blank = Sample('', np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8))
    return Samples([Entry(name, lambda: blank) for name in names])


def test_the_end_of_a_single_drive_is_held_out_after_a_gap() -> None:
    trained, measured = split(named([f'frame_{number:04}' for number in range(100)]), 0.15)
    assert trained.names == tuple(f'frame_{number:04}' for number in range(83))
    assert measured.names == tuple(f'frame_{number:04}' for number in range(85, 100))


def test_whole_drives_are_held_out_if_names_distinguish_them() -> None:
    names = [f'{drive}_{number:03}' for drive, count in (('a', 40), ('b', 12), ('c', 50)) for number in range(count)]
    trained, measured = split(named(names), 0.15)
    assert measured.names == tuple(name for name in names if name.startswith('b'))
    assert trained.names == tuple(name for name in names if not name.startswith('b'))


TIMES = [10**9 * 1_700_000_000 + number * 33_333_333 for number in range(1000)]


@pytest.mark.parametrize('names', [
    [f'{time // 10**9}.{time % 10**9:09}' for time in TIMES], [f'{time // 10**9}.{time % 10**9:09}_1' for time in TIMES],
    [f'cam_{time // 10**9}_{time % 10**9:09}' for time in TIMES], [f'{time}' for time in TIMES],
    [f'bag__{time}' + '_2' * (number % 7 == 3) for number, time in enumerate(TIMES)]],
    ids=['bag', 'one_stamp', 'folder', 'ns', 'cut_frames'])
def test_seconds_of_a_recording_are_not_drives(names: list[str]) -> None:
    trained, measured = split(named(names), 0.15)
    assert (trained.names, measured.names) == (tuple(names[:830]), tuple(names[850:]))


def test_the_end_of_numbers_without_zeros_in_front_is_held_out(tmp_path: Path) -> None:
    for kind in ('images', 'labels'):
        (tmp_path / kind).mkdir()
        for number in range(1, 21):
            (tmp_path / kind / f'{number}.png').touch()
    trained, measured = split(load_folder(tmp_path, 3), 0.15)
    assert trained.names == tuple(map(str, range(1, 17))) and measured.names == ('18', '19', '20')


@pytest.mark.parametrize('names', [[f'{letter}1' for letter in 'abcdefghijklmnopqrst'], [f'one{number}' for number in range(20)]])
def test_images_without_drives_are_split_once(names: list[str]) -> None:
    trained, measured = split(named(names), 0.2)
    assert (len(trained), len(measured)) == (15, 4)


def test_few_samples_are_all_used_for_training() -> None:
    trained, measured = split(named(['1', '2', '3']), 0.2)
    assert len(trained) == 3 and len(measured) == 0


def test_frames_are_recognised_by_their_bytes_or_else_their_name(tmp_path: Path) -> None:
    blank = Sample('', np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8))
    for name, content in (('a', b'one'), ('renamed', b'one'), ('other', b'two')):
        (tmp_path / name).write_bytes(content)
    by_file = {name: Entry(name, lambda: blank, files=(tmp_path / name,)) for name in ('a', 'renamed', 'other')}
    rendered = Entry('street1_7', lambda: blank)
    text = to_text([by_file['a'], rendered])
    assert count_known(text, [by_file['renamed'], by_file['other'], rendered]) == 2
    assert count_known('', list(by_file.values())) == 0
