# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Validation frames are not neighbours of training frames; a checkpoint recognises its training frames."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fanet_ros.datasets import Entry, Sample, Samples
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
