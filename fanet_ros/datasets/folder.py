# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images and a folder of masks with the same names (the layout of CamVid and of most custom data)."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Callable, Optional, Union

from fanet_ros.datasets.image_files import ReadLabels, check_second_class, read_labels, read_pair
from fanet_ros.datasets.sample import DatasetError
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.images.files import IMAGE_SUFFIXES
from fanet_ros.images.folder_bit_depth import FolderBitDepth
from fanet_ros.natural_order import natural_key


def load_folder(root: Union[str, Path], num_classes: int, *, keep: Optional[Callable[[str], bool]] = None,
                read: Optional[ReadLabels] = None, images: str = 'images', masks: str = 'labels', mask_suffix: str = '',
                cache: Optional[SampleCache] = None) -> Samples:
    """Pair the images `root/images/NAME` (see IMAGE_SUFFIXES) with the labels `root/labels/NAME.png`.

    :param keep: whether to use an image, given its NAME; None: all
    :param read: reads a label file; None: read_labels()
    :param images: folder of the images in `root`
    :param masks: folder of the labels in `root`
    :param mask_suffix: part between NAME and .png of a label file, such as '_mask'
    :raises DatasetError: no images, labels without an image, an image without labels, or two of one name. The contents of
        the files are checked when they are read.
    """
    root = Path(root).expanduser()
    image_folder, mask_folder = root / images, root / masks
    paths = sorted((path for path in image_folder.glob('*') if path.suffix.lower() in IMAGE_SUFFIXES),
                   key=lambda path: natural_key(path.name))
    if not paths:
        raise DatasetError(f'no images in {image_folder}: expected {images}/NAME.jpg with '
                           f'labels {masks}/NAME{mask_suffix}.png')
    by_stem: dict[str, Path] = {}
    for path in paths:
        other = by_stem.setdefault(path.stem, path)
        if other != path:
            raise DatasetError(f'{other} and {path.name} would have the same labels, {path.stem}{mask_suffix}.png: remove one')
    mask_paths = {path.stem: path for path in mask_folder.glob(f'*{mask_suffix}.*') if path.suffix.lower() == '.png'}
    orphans = sorted(set(mask_paths) - {f'{path.stem}{mask_suffix}' for path in paths})
    if orphans:
        raise DatasetError(f'{mask_paths[orphans[0]]} has no image in {image_folder}: {len(paths)} images, '
                           f'{len(mask_paths)} masks; remove it or add the image')
    if num_classes == 2 and read is None:
        check_second_class((read_labels(path, 2) for path in sorted(mask_paths.values())), f'the masks in {mask_folder}')
    read = read or partial(read_labels, num_classes=num_classes)
    entries, bit_depth = [], FolderBitDepth(paths)
    for path in paths:
        if keep is None or keep(path.stem):
            mask_path = mask_paths.get(f'{path.stem}{mask_suffix}')
            if mask_path is None:
                raise DatasetError(f'{mask_folder / path.stem}{mask_suffix}.png is missing: {len(paths)} images, {len(mask_paths)} '
                                   'masks; every image needs its labels')
            entries.append(Entry(path.stem, partial(read_pair, path.stem, path, mask_path, read, bit_depth),
                                 files=(path, mask_path)))
    return Samples(entries, cache)
