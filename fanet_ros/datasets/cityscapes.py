# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cityscapes, as unpacked: leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png, gtFine/SPLIT/CITY/NAME_gtFine_labelIds.png."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Callable, Union

import numpy as np

from fanet_ros.datasets.image_files import read_labels, read_pair
from fanet_ros.datasets.sample import UNLABELLED, DatasetError
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.images.folder_bit_depth import FolderBitDepth

CLASS_MAP = 'cityscapes19'
# labelIds of the 19 training ids, in order (cityscapesscripts, labels.py); every other id is unlabelled.
LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


def load_cityscapes(root: Union[str, Path], split: str, keep: Callable[[str], bool], cache: SampleCache) -> Samples:
    """All images of a split ('train', 'val'), with labels of config/class_maps/cityscapes19.yaml.

    :param keep: whether to use an image, given its name such as 'ulm_000001_000019'
    :raises DatasetError: no images, or one without labels
    """
    root = Path(root).expanduser()
    table = np.full(256, UNLABELLED, np.uint8)
    table[list(LABEL_IDS)] = np.arange(len(LABEL_IDS))
    paths = sorted((root / 'leftImg8bit' / split).glob('*/*_leftImg8bit.png'))
    if not paths:
        raise DatasetError(f'no images in {root / "leftImg8bit" / split}: expected CITY/NAME_leftImg8bit.png')
    entries, bit_depth = [], FolderBitDepth(paths)
    for path in paths:
        name = path.name[:-len('_leftImg8bit.png')]
        labels = root / 'gtFine' / split / path.parent.name / f'{name}_gtFine_labelIds.png'
        if keep(name):
            if not labels.is_file():
                raise DatasetError(f'{labels} is missing: unpack gtFine_trainvaltest.zip next to leftImg8bit')
            entries.append(Entry(name, partial(
                read_pair, name, path, labels, lambda path: table[read_labels(path, 256)], bit_depth), files=(path, labels)))
    return Samples(entries, cache)
