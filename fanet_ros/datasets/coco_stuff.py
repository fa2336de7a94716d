# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""COCO-Stuff on COCO 2017: images/SPLIT2017/*.jpg with the pixel maps of stuffthingmaps_trainvaltest2017.zip."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Callable, Union

import numpy as np

from fanet_ros.datasets.image_files import read_labels, read_pair
from fanet_ros.datasets.sample import UNLABELLED, DatasetError
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.images.folder_bit_depth import FolderBitDepth

CLASS_MAP = 'coco_stuff171'
# A pixel map holds the category id minus one, 0..181, or 255. These 11 were never annotated: street sign, hat, shoe,
# eye glasses, plate, mirror, window, desk, door, blender, hair brush. The others are numbered consecutively.
UNUSED_VALUES = (11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90)
NUM_VALUES = 182


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
    table = label_table()
    entries, bit_depth = [], FolderBitDepth(paths)
    for path in paths:
        labels = map_folder / f'{path.stem}.png'
        if keep(path.stem):
            if not labels.is_file():
                raise DatasetError(f'{labels} is missing: unpack stuffthingmaps_trainvaltest2017.zip into '
                                   f'{map_folder.parent}')
            entries.append(Entry(path.stem, partial(
                read_pair, path.stem, path, labels, lambda path: table[read_labels(path, NUM_VALUES)], bit_depth),
                files=(path, labels)))
    return Samples(entries, cache)


def label_table() -> np.ndarray:
    """(256,) uint8: value of a pixel map -> class of coco_stuff171, or UNLABELLED."""
    used = [value for value in range(NUM_VALUES) if value not in UNUSED_VALUES]
    table = np.full(256, UNLABELLED, np.uint8)
    table[used] = np.arange(len(used))
    return table
