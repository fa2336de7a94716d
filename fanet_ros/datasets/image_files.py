# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and check images and label images from disk."""
from __future__ import annotations

import io
from pathlib import Path
from typing import Callable, Iterable, Optional, Sequence

import cv2
import numpy as np
from PIL import Image

from fanet_ros.datasets.sample import UNLABELLED, DatasetError, Sample
from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.images.files import decoded_bgr, read_pixels

ReadLabels = Callable[[Path], np.ndarray]

EXIF_MARKS, ORIENTATION_TAG = (b'Exif', b'eXIf', b'EXIF'), 0x0112     # of JPEG, PNG, WebP; OpenCV always rotates TIFF


def read_pair(name: str, image_path: Path, label_path: Path, read: ReadLabels, bit_depth: BitDepth) -> Sample:
    """Read an image and its labels, the latter with `read`.

    :param bit_depth: of 16-bit images
    :raises DatasetError: one is missing or unreadable, or their sizes differ
    """
    labels = read(label_path)
    return Sample(name, read_image(image_path, labels.shape[:2], label_path, bit_depth), labels)


def read_image(path: Path, size: tuple[int, int], label_path: Path, bit_depth: BitDepth) -> np.ndarray:
    """Read the image for the labels `label_path` of `size` (H, W), as (H, W, 3) uint8 RGB.

    Labels have no EXIF orientation: only their size shows whether they were drawn on the rotated or on the stored image.

    :param bit_depth: for 16-bit values
    :raises DatasetError: unreadable, of another size, or of ambiguous orientation
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DatasetError(f'{path} cannot be read: {error.strerror}') from None
    stored = decoded_bgr(data, bit_depth, cv2.IMREAD_IGNORE_ORIENTATION)
    if stored is None:
        raise DatasetError(f'{path} is not a readable image: remove or replace it')
    readings: list[Optional[np.ndarray]] = [stored]
    orientation = orientation_of(data)
    if orientation != 1:
        readings.append(decoded_bgr(data, bit_depth))
    fitting = [bgr for bgr in readings if bgr is not None and bgr.shape[:2] == size]
    if not fitting:
        raise DatasetError(f'{label_path} is {size[1]}x{size[0]}, its image {stored.shape[1]}x{stored.shape[0]}: the sizes must '
                           'be equal')
    if len(fitting) > 1:
        raise DatasetError(f'{path} is rotated by its EXIF orientation {orientation}, and it is unclear whether {label_path} is '
                           'too: store it upright, without the orientation (mogrify -auto-orient), with a matching mask')
    return cv2.cvtColor(fitting[0], cv2.COLOR_BGR2RGB)


def orientation_of(data: np.ndarray) -> int:
    """EXIF orientation of an encoded image, 1 to 8; 1 (upright) if it has none."""
    encoded = data.tobytes()
    if not any(marker in encoded for marker in EXIF_MARKS):      # most images: no need to parse them
        return 1
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except (OSError, SyntaxError, ValueError):
        return 1
    return orientation if orientation in range(1, 9) else 1


def read_labels(path: Path, num_classes: int) -> np.ndarray:
    """Read a single-channel or palette PNG as (H, W) uint8 class indices, 255 for unlabelled.

    :raises DatasetError: missing, of another format, or with indices that are not a class
    """
    labels = _read_label_image(path)
    if labels.ndim == 3:
        labels = _palette_indices(path, labels)
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise DatasetError(f'{path}: expected one 8-bit channel of class indices, got {labels.dtype} {labels.shape}; '
                           'for colour masks, set labels: colors')
    check_labels(labels, num_classes, str(path))
    return labels


def check_labels(labels: np.ndarray, num_classes: int, source: str) -> None:
    """:raises DatasetError: a value of `labels` is neither a class nor UNLABELLED; the message starts with `source`."""
    used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    wrong = used[(used >= num_classes) & (used != UNLABELLED)]
    if wrong.size:
        raise DatasetError(f'{source} contains class {wrong[0]}: expected 0..{num_classes - 1} or {UNLABELLED}; correct the '
                           'labels or give the class map they belong to')


def check_second_class(masks: Iterable[np.ndarray], source: str) -> None:
    """Reject two classes written as 0 and 255, as many tools do; stops reading at the first mask with another value.

    :raises DatasetError: all `masks`, (H, W) uint8, of `source` contain only 0 and 255
    """
    has_unlabelled = False
    for labels in masks:
        values = set(np.flatnonzero(np.bincount(labels.ravel(), minlength=256)))
        if values - {0, UNLABELLED}:
            return
        has_unlabelled |= UNLABELLED in values
    if has_unlabelled:
        raise DatasetError(f'{source} contain only 0 and {UNLABELLED}, and {UNLABELLED} is unlabelled: write the second class as 1')


def read_color_labels(path: Path, colors: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Read a colour image as (H, W) uint8 class indices; black is unlabelled unless it is a class.

    :param colors: RGB of each class
    :raises DatasetError: missing, not in colour, or with a colour that is not a class
    """
    bgr = _read_label_image(path)
    if bgr.ndim == 3 and bgr.shape[2] == 4:
        bgr = bgr[..., :3]      # drawing tools add an alpha channel
    if bgr.ndim != 3 or bgr.dtype != np.uint8:
        raise DatasetError(f'{path}: expected an 8-bit colour image, got {bgr.dtype} {bgr.shape}; for class indices, '
                           'set labels: indices')
    key = bgr[..., 2].astype(np.int32) << 16 | bgr[..., 1].astype(np.int32) << 8 | bgr[..., 0]
    labels = np.full(key.shape, UNLABELLED, np.uint8)
    known = key == 0
    for index, (red, green, blue) in enumerate(colors):
        here = key == (red << 16 | green << 8 | blue)
        labels[here] = index
        known |= here
    if not known.all():
        value = int(key[~known][0])
        raise DatasetError(f'{path} contains the colour [{value >> 16}, {value >> 8 & 255}, {value & 255}], which is not '
                           'a class of the class map')
    return labels


def _palette_indices(path: Path, labels: np.ndarray) -> np.ndarray:
    """Indices of a palette PNG, which OpenCV converts to colour; `labels` itself for any other image."""
    with Image.open(path) as image:
        return np.asarray(image) if image.mode == 'P' else labels


def _read_label_image(path: Path) -> np.ndarray:
    labels = read_pixels(path, cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DatasetError(f'{path} is missing or not a readable PNG: every image needs its labels')
    return labels
