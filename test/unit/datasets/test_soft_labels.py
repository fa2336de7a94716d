# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Soft labels are attached to their image, mapped to the trained classes, and transformed with its views."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fanet_ros.datasets import DatasetError, Sample
from fanet_ros.datasets.soft_labels import CLASSES, SoftLabels, label_confident
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import pasted_soft

PLAIN = {'color': 0, 'hue_deg': 0, 'gamma': 0, 'blur': 0, 'noise': 0, 'jpeg': 0}


def write(path: Path, names: list[str], **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **{CLASSES: np.array(names)}, **arrays)
    return path


def blank(name: str) -> Sample:
    return Sample(name, np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8))


def test_probabilities_of_renamed_classes_add_up(tmp_path: Path) -> None:
    stored = np.array([[[10, 20, 225], [200, 50, 5]]], np.uint8)
    path = write(tmp_path / 'soft.npz', ['bus', 'car', 'mud'], frame=stored)
    change = SoftLabels(path, ('road', 'car'), {'bus': 'car', 'mud': ''}).change()
    assert change(blank('frame')).soft.tolist() == [[[0, 30], [0, 250]]]
    with pytest.raises(DatasetError, match='no soft labels of other'):
        change(blank('other'))
    with pytest.raises(DatasetError, match=r'soft\.npz: bus \(renamed to cra\): no such class is trained'):
        SoftLabels(path, ('road', 'car'), {'bus': 'cra', 'mud': ''})
    with pytest.raises(DatasetError, match=r'soft\.npz: bus, mud: no such class is trained; rename each to one of road, car'):
        SoftLabels(path, ('road', 'car'), {})


def test_classes_with_the_trained_names_are_renamed_too(tmp_path: Path) -> None:
    path = write(tmp_path / 'soft.npz', ['car', 'road'], frame=np.array([[[10, 20]]], np.uint8))
    assert SoftLabels(path, ('road', 'car'), {}).change()(blank('frame')).soft.tolist() == [[[20, 10]]]
    assert SoftLabels(path, ('road', 'car'), {'car': 'road'}).change()(blank('frame')).soft.tolist() == [[[30, 0]]]


def test_classes_that_are_all_renamed_to_nothing_are_rejected(tmp_path: Path) -> None:
    path = write(tmp_path / 'soft.npz', ['mud'], frame=np.zeros((1, 1, 1), np.uint8))
    with pytest.raises(DatasetError, match='every class is renamed to nothing'):
        SoftLabels(path, ('road', 'car'), {'mud': ''})


def test_certain_pixels_are_labelled() -> None:
    soft = np.array([[[255, 0], [100, 155]]], np.uint8)
    sample = Sample('frame', np.zeros((4, 10, 3), np.uint8), np.zeros((4, 10), np.uint8), soft)
    # Corners aligned: the two are equal at column 7.4; the last has 0.61 for the second class.
    assert label_confident(0.5)(sample).labels.tolist() == [[0] * 8 + [1] * 2] * 4
    assert label_confident(0.7)(sample).labels.tolist() == [[0] * 5 + [255] * 5] * 4


@pytest.mark.parametrize('content', [b'', b'no zip', None])
def test_other_files_are_rejected(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / 'soft.npz'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match='is not a soft label file'):
        SoftLabels(path, ('road',), {})


def test_soft_labels_move_with_the_image() -> None:
    """Soft labels made from the labels at half size agree with them in every view; the left part of the image is class 1."""
    labels = np.zeros((90, 120), np.uint8)
    labels[:, :50] = 1
    soft = np.zeros((45, 60, 2), np.uint8)
    soft[..., 0], soft[..., 1] = 255 * (labels[::2, ::2] == 0), 255 * (labels[::2, ::2] == 1)
    sample = Sample('a', np.zeros((90, 120, 3), np.uint8), labels, soft)
    augmentation = Augmentation(64, 96, scale=(0.7, 1.5), rotation_deg=10, **PLAIN)
    agree = total = 0
    for seed in range(12):
        view = augmentation.draw(90, 120, np.random.default_rng(seed))
        _, moved = augmentation.render(sample, view)
        at_logits = augmentation.render_soft(sample, view)
        assert at_logits.shape == (8, 12, 2)
        rows, columns = np.linspace(0, 63, 8).round().astype(int), np.linspace(0, 95, 12).round().astype(int)
        truth = moved[rows[:, None], columns]
        known = at_logits.sum(-1) > 127
        assert np.array_equal(known, truth != 255) or (known != (truth != 255)).mean() < 0.1      # up to rounding at borders
        inside = known & (truth != 255)
        agree, total = agree + (at_logits.argmax(-1) == truth)[inside].sum(), total + inside.sum()
    assert total > 500 and agree / total > 0.97


def test_pasted_pixels_keep_their_soft_labels() -> None:
    mine, other = np.full((2, 2, 1), 7, np.uint8), np.full((2, 2, 1), 9, np.uint8)
    pasted = np.zeros((16, 16), bool)
    pasted[:, 10:] = True
    assert pasted_soft(mine, other, pasted)[..., 0].tolist() == [[7, 9], [7, 9]]
    assert pasted_soft(mine, None, pasted)[..., 0].tolist() == [[7, 0], [7, 0]]
    assert pasted_soft(None, other, pasted)[..., 0].tolist() == [[0, 9], [0, 9]]
    assert pasted_soft(None, None, pasted) is None
