# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets as their authors distribute them, unpacked.

Cityscapes: leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png, gtFine/SPLIT/CITY/NAME_gtFine_labelIds.png.
COCO-Stuff on COCO 2017: images/SPLIT2017/*.jpg with the pixel maps of stuffthingmaps_trainvaltest2017.zip.
"""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Callable, Sequence, Union

import numpy as np

from fanet_ros.datasets.image_files import read_labels, read_pair
from fanet_ros.datasets.sample import UNLABELLED, DatasetError
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.images.folder_bit_depth import FolderBitDepth

CITYSCAPES, COCO_STUFF = 'cityscapes19', 'coco_stuff171'        # their class maps
# labelIds of the 19 training ids, in order (cityscapesscripts, labels.py); every other id is unlabelled.
LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
# A pixel map of COCO-Stuff holds the category id minus one, 0..181, or 255. These 11 were never annotated: street sign, hat, shoe,
# eye glasses, plate, mirror, window, desk, door, blender, hair brush. The others are numbered consecutively.
UNUSED_VALUES = (11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90)
NUM_VALUES = 182


def load_cityscapes(root: Union[str, Path], split: str, keep: Callable[[str], bool], cache: SampleCache) -> Samples:
    """All images of a split ('train', 'val'), with labels of config/class_maps/cityscapes19.yaml.

    :param keep: whether to use an image, given its name such as 'ulm_000001_000019'
    :raises DatasetError: no images, or one without labels
    """
    root = Path(root).expanduser()
    paths = sorted((root / 'leftImg8bit' / split).glob('*/*_leftImg8bit.png'))
    if not paths:
        raise DatasetError(f'no images in {root / "leftImg8bit" / split}: expected CITY/NAME_leftImg8bit.png')
    table = np.full(256, UNLABELLED, np.uint8)
    table[list(LABEL_IDS)] = np.arange(len(LABEL_IDS))
    names = [path.name[:-len('_leftImg8bit.png')] for path in paths]
    masks = [root / 'gtFine' / split / path.parent.name / f'{name}_gtFine_labelIds.png' for name, path in zip(names, paths)]
    return _samples(names, paths, masks, 'unpack gtFine_trainvaltest.zip next to leftImg8bit', table, 256, keep, cache)


def load_coco_stuff(root: Union[str, Path], split: str, keep: Callable[[str], bool], cache: SampleCache) -> Samples:
    """All images of a split ('train', 'val') with labels of config/class_maps/coco_stuff171.yaml.

    :param keep: whether to use an image, given its name such as '000000000009'
    :raises DatasetError: no images, or one without labels
    """
    root = Path(root).expanduser()
    image_folder, map_folder = root / 'images' / f'{split}2017', root / 'annotations' / f'{split}2017'
    paths = sorted(image_folder.glob('*.jpg'))
    if not paths:
        raise DatasetError(f'no images in {image_folder}: expected NAME.jpg there and NAME.png in {map_folder}')
    names = [path.stem for path in paths]
    return _samples(names, paths, [map_folder / f'{name}.png' for name in names],
                    f'unpack stuffthingmaps_trainvaltest2017.zip into {map_folder.parent}', label_table(), NUM_VALUES, keep, cache)


def label_table() -> np.ndarray:
    """(256,) uint8: value of a pixel map of COCO-Stuff -> class of coco_stuff171, or UNLABELLED."""
    used = [value for value in range(NUM_VALUES) if value not in UNUSED_VALUES]
    table = np.full(256, UNLABELLED, np.uint8)
    table[used] = np.arange(len(used))
    return table


def _samples(names: Sequence[str], paths: Sequence[Path], masks: Sequence[Path], remedy: str, table: np.ndarray, num_values: int,
             keep: Callable[[str], bool], cache: SampleCache) -> Samples:
    entries, bit_depth = [], FolderBitDepth(paths)
    for name, path, mask in zip(names, paths, masks):
        if keep(name):
            if not mask.is_file():
                raise DatasetError(f'{mask} is missing: {remedy}')
            entries.append(Entry(name, partial(
                read_pair, name, path, mask, lambda mask: table[read_labels(mask, num_values)], bit_depth), files=(path, mask)))
    return Samples(entries, cache)
