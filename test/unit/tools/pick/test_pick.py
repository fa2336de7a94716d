# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames worth labelling: the selection rule, and the command `pick`."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.datasets.annotations import read_mask
from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools.pick.choice import COLUMNS, ROWS, choose, layout_of
from fanet_ros.tools.pick.command import main


def test_a_layout_has_the_share_of_each_class_in_each_part() -> None:
    labels = np.zeros((6, 8), np.uint8)
    labels[:2, :2] = 1
    labels[:1, :2] = 2
    layout = layout_of(labels, 3).reshape(3, ROWS, COLUMNS)
    assert layout[:, 0, 0].tolist() == pytest.approx([0.0, 0.5 ** 0.5, 0.5 ** 0.5])
    assert (layout[0].ravel()[1:] == 1).all() and not layout[1:].reshape(2, -1)[:, 1:].any()


def test_the_most_uncertain_frame_is_first_then_those_unlike_it() -> None:
    layouts = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0], [5.1, 0.0], [0.0, 3.0]])
    assert choose(layouts, np.array([1.0, 2.0, 1.0, 1.0, 1.0]), 3) == [1, 3, 4]
    assert choose(layouts, np.array([1.0, 1.0, 1.0, 1.0, 9.0]), 2) == [4, 3]
    assert choose(layouts, np.array([1.0, 2.0, 1.5, 1.0, 1.0]), 2) == [1, 2]       # nearly as far, and more uncertain


def test_of_equal_frames_one_is_chosen() -> None:
    assert choose(np.zeros((4, 2)), np.ones(4), 3) == [0]
    assert choose(np.array([[0.0], [0.0], [1.0]]), np.ones(3), 3) == [0, 2]


def test_the_command_writes_frames_with_predicted_masks(
        street_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, output = tmp_path / 'drive', tmp_path / 'out'
    folder.mkdir()
    for seed in range(3):
        cv2.imwrite(str(folder / f'{seed}.png'), SyntheticStreet(128, 96, seed).frame(0).rgb[..., ::-1])
    cv2.imwrite(str(folder / '9_black.png'), np.zeros((96, 128, 3), np.uint8))
    arguments = [str(folder), '--output', str(output), '--checkpoint', str(street_checkpoint), '--device', 'cpu', '--quiet']
    assert main([*arguments, '--count', '2']) == 0
    assert capsys.readouterr().out.startswith('2 of 3 frames')
    images, masks = (sorted((output / name).glob('*.png')) for name in ('images', 'labels'))
    assert [path.name for path in images] == [path.name for path in masks] and len(images) == 2
    segmenter = Segmenter.from_checkpoint(street_checkpoint, device='cpu', engine='torch')
    class_map = ClassMap.load(output / 'class_map.yaml')
    for image, mask in zip(images, masks):
        assert image.name in ('drive_0000.png', 'drive_0001.png', 'drive_0002.png')
        bgr = cv2.imread(str(image))
        np.testing.assert_array_equal(bgr, cv2.imread(str(folder / f'{image.stem[-1]}.png')))
        rgb = np.ascontiguousarray(bgr[..., ::-1])
        np.testing.assert_array_equal(read_mask(mask, class_map), segmenter.segment(rgb).labels)
    assert main(arguments) == 1
    assert 'is not empty' in capsys.readouterr().err


def test_a_source_with_blank_frames_only_is_rejected(
        street_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / 'black.png'), np.zeros((96, 128, 3), np.uint8))
    output = tmp_path / 'out'
    assert main([str(tmp_path), '--output', str(output), '--checkpoint', str(street_checkpoint), '--quiet']) == 1
    assert f'all 1 frames of {tmp_path} are blank' in capsys.readouterr().err and not output.exists()
