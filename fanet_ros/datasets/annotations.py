# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exchange of frames and masks with annotation tools.

A folder holds images/NAME.png; labels/NAME.png with the class colours as palette; class_map.yaml; and for CVAT labelmap.txt and
annotations.zip, its format "Segmentation mask". Tools renumber the classes but keep their colours, so masks are read back by
colour; grey masks hold class indices.
"""
from __future__ import annotations

import json
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import Optional, Sequence

import cv2
import numpy as np
from PIL import Image

from fanet_ros.datasets.folder import load_folder
from fanet_ros.datasets.image_files import read_color_labels, read_labels
from fanet_ros.datasets.sample import UNLABELLED, DatasetError
from fanet_ros.datasets.samples import SampleCache, Samples
from fanet_ros.error_text import error_text
from fanet_ros.images.png_palette import with_palette
from fanet_ros.inference import ClassMap

IMAGES, LABELS, CVAT_LABELS = 'images', 'labels', 'SegmentationClass'
LABEL_MAP = 'labelmap.txt'
AS_WRITTEN = 'as_written.json'      # checksums of the masks, by name, to tell which ones were corrected


def write_annotations(folder: Path, frames: Sequence[tuple[str, np.ndarray, np.ndarray]], class_map: ClassMap) -> None:
    """Write frames for correction.

    :param frames: of each its name, image (H, W, 3) uint8 RGB and labels (H, W) uint8
    :raises OSError: `folder` cannot be written
    """
    for name in (IMAGES, LABELS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    label_map = cvat_label_map(class_map)
    with zipfile.ZipFile(folder / 'annotations.zip', 'w', zipfile.ZIP_STORED) as archive:
        archive.writestr(LABEL_MAP, label_map)
        archive.writestr('ImageSets/Segmentation/default.txt', ''.join(f'{name}\n' for name, _, _ in frames))
        for name, rgb, labels in frames:
            mask = with_palette(_png(labels), class_map.palette())
            (folder / IMAGES / f'{name}.png').write_bytes(_png(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)))
            (folder / LABELS / f'{name}.png').write_bytes(mask)
            archive.writestr(f'{CVAT_LABELS}/{name}.png', mask)
            archive.writestr(f'SegmentationObject/{name}.png', with_palette(_png(_regions(labels)), _voc_colors()))
    (folder / LABEL_MAP).write_text(label_map, encoding='utf-8')
    (folder / 'class_map.yaml').write_text(class_map.to_yaml(), encoding='utf-8')
    checksums = {name: _checksum(labels) for name, _, labels in frames}
    (folder / AS_WRITTEN).write_text(json.dumps(checksums, indent=1) + '\n', encoding='utf-8')


def cvat_label_map(class_map: ClassMap) -> str:
    """CVAT's labelmap.txt: a line 'name:r,g,b::' per class; black is unlabelled.

    CVAT splits a line at every ':' and takes one that begins with '#' for a comment: names get the wide forms of these characters.
    """
    return '# label:color_rgb:parts:actions\nbackground:0,0,0::\n' + ''.join(
        f'{_cvat_name(name)}:{red},{green},{blue}::\n' for name, (red, green, blue) in zip(class_map.names, class_map.colors))


def _cvat_name(name: str) -> str:
    name = name.replace(':', '\N{FULLWIDTH COLON}')
    return '\N{FULLWIDTH NUMBER SIGN}' + name[1:] if name.startswith('#') else name


def read_annotations(folder: Path, class_map: ClassMap, cache: Optional[SampleCache] = None) -> tuple[Samples, int]:
    """Read the frames whose masks were corrected since write_annotations(); of any other folder, all frames with a mask.

    Masks are in labels/ or, as CVAT exports them, in SegmentationClass/.

    :returns: the frames, and the number of masks left out because they are unchanged
    :raises DatasetError: no such folders, unreadable masks, other classes, or no corrected mask
    """
    masks = CVAT_LABELS if (folder / CVAT_LABELS).is_dir() else LABELS
    if not (folder / IMAGES).is_dir() or not (folder / masks).is_dir():
        raise DatasetError(f'{folder} has no {IMAGES}/ and {LABELS}/ (or {CVAT_LABELS}/): expected a folder as written by pick')
    read = partial(read_mask, class_map=class_map)
    written = _read_checksums(folder / AS_WRITTEN)
    names = {path.stem for path in (folder / masks).glob('*.png')}
    corrected = {name for name in names if name not in written
                 or _checksum(read(folder / masks / f'{name}.png')) != written[name]}
    if not corrected:
        raise DatasetError(f'none of the {len(names)} masks in {folder / masks} was changed: correct some, or omit --labels')
    samples = load_folder(folder, len(class_map), keep=corrected.__contains__, read=read, images=IMAGES, masks=masks, cache=cache)
    return samples, len(names - corrected)


def read_mask(path: Path, class_map: ClassMap) -> np.ndarray:
    """Read a mask in the class colours, with a palette of them, or grey with class indices, as (H, W) uint8 labels.

    :raises DatasetError: missing, not a PNG, or with other classes
    """
    try:
        with Image.open(path) as image:
            mode = image.mode
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetError(f'{path} is missing or not a readable PNG ({error_text(error, 80)})') from None
    if mode in ('RGB', 'RGBA'):
        return read_color_labels(path, class_map.colors)
    return _by_palette(path, class_map) if mode == 'P' else read_labels(path, len(class_map))


def _by_palette(path: Path, class_map: ClassMap) -> np.ndarray:
    """The class whose colour the palette gives each pixel; black is unlabelled unless it is a class."""
    with Image.open(path) as image:
        indices = np.asarray(image)
        colors = np.array(image.getpalette('RGB'), np.uint8).reshape(-1, 3)
    known = {tuple(color): number for number, color in reversed(list(enumerate(class_map.colors)))}
    table = np.full(256, UNLABELLED, np.uint8)
    for index in np.unique(indices):
        color = tuple(int(value) for value in colors[index]) if index < len(colors) else (0, 0, 0)
        if color not in known and color != (0, 0, 0):
            raise DatasetError(f'{path} contains the colour {list(color)}, which is not a class of {class_map.name}: expected the '
                               'colours of class_map.yaml')
        is_same_index = index < len(class_map) and color == tuple(class_map.colors[index])      # classes may share a colour
        table[index] = index if is_same_index else known.get(color, UNLABELLED)
    return table[indices]


def _read_checksums(path: Path) -> dict[str, int]:
    try:
        return dict(json.loads(path.read_text(encoding='utf-8')))
    except (OSError, ValueError):
        return {}


def _checksum(labels: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(labels).tobytes())


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode('.png', pixels)[1].tobytes()


def _regions(labels: np.ndarray) -> np.ndarray:
    """(H, W) uint8: a number per connected region of a class, CVAT's objects; regions beyond the 254th share a number."""
    regions = np.zeros(labels.shape, np.uint8)
    count = 0
    for label in np.unique(labels[labels != UNLABELLED]):
        number, found = cv2.connectedComponents((labels == label).astype(np.uint8))
        for region in range(1, number):
            count = min(count + 1, 254)
            regions[found == region] = count
    return regions


def _voc_colors() -> np.ndarray:
    """(256, 3) uint8: the palette of Pascal VOC, in which neighbouring numbers have very different colours."""
    numbers = np.arange(256)
    colors = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colors[:, channel] |= ((numbers >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colors
