# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks exchanged with annotation tools, in every format that these write."""
from __future__ import annotations

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fanet_ros.datasets import UNLABELLED, DatasetError
from fanet_ros.datasets.annotations import read_annotations, read_mask, write_annotations
from fanet_ros.inference import ClassMap

CLASSES = ClassMap('trio', ('a', 'b', 'c'), ((9, 2, 3), (40, 50, 60), (200, 0, 1)))
LABELS = np.array([[0, 1, 2, 2], [0, 1, UNLABELLED, 2]], np.uint8)
FRAMES = [(name, np.full((2, 4, 3), (10, 20, 30 + number), np.uint8), LABELS) for number, name in enumerate(('x', 'y', 'z'))]


def correct(path: Path, labels: np.ndarray) -> None:
    """Overwrite a mask as a drawing tool does that keeps the palette."""
    with Image.open(path) as old:
        new = Image.fromarray(labels, 'P')
        new.putpalette(old.getpalette())
    new.save(path)


def test_only_corrected_masks_are_read_back(tmp_path: Path) -> None:
    write_annotations(tmp_path, FRAMES, CLASSES)
    with pytest.raises(DatasetError, match='none of the 3 masks .* was changed'):
        read_annotations(tmp_path, CLASSES)
    expected = np.where(LABELS == 2, 1, LABELS).astype(np.uint8)
    correct(tmp_path / 'labels' / 'y.png', expected)
    correct(tmp_path / 'labels' / 'z.png', LABELS)          # saved again without a change
    samples, unchanged = read_annotations(tmp_path, CLASSES)
    assert samples.names == ('y',) and unchanged == 2
    np.testing.assert_array_equal(samples[0].labels, expected)
    assert samples[0].rgb[0, 0].tolist() == [10, 20, 31]


def test_masks_have_class_indices_and_a_palette_of_the_colours(tmp_path: Path) -> None:
    write_annotations(tmp_path, FRAMES, CLASSES)
    with Image.open(tmp_path / 'labels' / 'x.png') as mask:
        assert mask.mode == 'P' and np.asarray(mask).tolist() == LABELS.tolist()
        assert np.asarray(mask.convert('RGB'))[0, 1].tolist() == [40, 50, 60]
    assert ClassMap.load(tmp_path / 'class_map.yaml') == CLASSES
    lines = (tmp_path / 'labelmap.txt').read_text().splitlines()
    assert lines[1:] == ['background:0,0,0::', 'a:9,2,3::', 'b:40,50,60::', 'c:200,0,1::']


def test_class_names_keep_the_form_of_cvats_lines(tmp_path: Path) -> None:
    classes = ClassMap('trio', ('#1', 'vehicle: car', 'vehicle'), CLASSES.colors)
    write_annotations(tmp_path, FRAMES[:1], classes)
    lines = (tmp_path / 'labelmap.txt').read_text(encoding='utf-8').splitlines()
    assert lines[2:] == ['\uff031:9,2,3::', 'vehicle\uff1a car:40,50,60::', 'vehicle:200,0,1::']
    with zipfile.ZipFile(tmp_path / 'annotations.zip') as archive:
        assert archive.read('labelmap.txt').decode('utf-8').splitlines() == lines
    assert ClassMap.load(tmp_path / 'class_map.yaml') == classes


def test_the_archive_has_the_layout_of_cvat(tmp_path: Path) -> None:
    write_annotations(tmp_path, FRAMES[:1], CLASSES)
    with zipfile.ZipFile(tmp_path / 'annotations.zip') as archive:
        assert sorted(archive.namelist()) == ['ImageSets/Segmentation/default.txt', 'SegmentationClass/x.png',
                                              'SegmentationObject/x.png', 'labelmap.txt']
        assert archive.read('ImageSets/Segmentation/default.txt') == b'x\n'
        assert archive.read('SegmentationClass/x.png') == (tmp_path / 'labels' / 'x.png').read_bytes()
        with archive.open('SegmentationObject/x.png') as file, Image.open(file) as image:
            objects = np.asarray(image)
    assert objects[1, 2] == 0 and len(np.unique(objects)) == 4      # unlabelled, and one region per class


def test_masks_are_read_in_every_format(tmp_path: Path) -> None:
    path = tmp_path / 'mask.png'
    cv2.imwrite(str(path), LABELS)
    np.testing.assert_array_equal(read_mask(path, CLASSES), LABELS)             # grey: class indices
    rgb = CLASSES.palette()[LABELS]
    cv2.imwrite(str(path), rgb[..., ::-1])
    np.testing.assert_array_equal(read_mask(path, CLASSES), LABELS)             # class colours
    renumbered = Image.fromarray(np.array([[1, 2, 3, 3], [1, 2, 0, 3]], np.uint8), 'P')
    renumbered.putpalette([0, 0, 0, *(value for color in CLASSES.colors for value in color)])
    renumbered.save(path)
    np.testing.assert_array_equal(read_mask(path, CLASSES), LABELS)             # renumbered, as by CVAT


def test_an_export_of_cvat_is_preferred(tmp_path: Path) -> None:
    write_annotations(tmp_path, FRAMES, CLASSES)
    (tmp_path / 'SegmentationClass').mkdir()
    cv2.imwrite(str(tmp_path / 'SegmentationClass' / 'x.png'), CLASSES.palette()[LABELS[:, ::-1]][..., ::-1])
    samples, unchanged = read_annotations(tmp_path, CLASSES)
    assert samples.names == ('x',) and unchanged == 0
    np.testing.assert_array_equal(samples[0].labels, LABELS[:, ::-1])


def test_unreadable_masks_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='has no images/ and labels/'):
        read_annotations(tmp_path, CLASSES)
    path = tmp_path / 'mask.png'
    cv2.imwrite(str(path), np.full((2, 4, 3), 77, np.uint8))
    with pytest.raises(DatasetError, match=r'colour \[77, 77, 77\]'):
        read_mask(path, CLASSES)
    cv2.imwrite(str(path), np.full((2, 4), 3, np.uint8))
    with pytest.raises(DatasetError, match='contains class 3'):
        read_mask(path, CLASSES)
    foreign = Image.fromarray(np.zeros((2, 4), np.uint8), 'P')
    foreign.putpalette([1, 1, 1])
    foreign.save(path)
    with pytest.raises(DatasetError, match=r'colour \[1, 1, 1\], which is not a class of trio'):
        read_mask(path, CLASSES)
    path.write_bytes(b'no image')
    with pytest.raises(DatasetError, match='not a readable PNG'):
        read_mask(path, CLASSES)
