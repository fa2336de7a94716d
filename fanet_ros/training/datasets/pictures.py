"""Images and label pictures from disk, checked."""
from __future__ import annotations

from pathlib import Path
from typing import Callable, Sequence

import cv2
import numpy as np
from PIL import Image

from fanet_ros.training.datasets.sample import UNLABELLED, DatasetError, Sample

ReadLabels = Callable[[Path], np.ndarray]


def read_pair(name: str, image_path: Path, label_path: Path, read: ReadLabels) -> Sample:
    """An image with its labels, which `read` reads.

    :raises DatasetError: one is missing, unreadable or of another size than the other
    """
    rgb, labels = read_image(image_path), read(label_path)
    if labels.shape != rgb.shape[:2]:
        raise DatasetError(f'{label_path} is {labels.shape[1]}x{labels.shape[0]}, its image '
                           f'{rgb.shape[1]}x{rgb.shape[0]}: both must be of one size')
    return Sample(name, rgb, labels)


def read_image(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB.

    :raises DatasetError: it cannot be read
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DatasetError(f'{path} is not a readable image: remove or replace it')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_labels(path: Path, num_classes: int) -> np.ndarray:
    """(H, W) uint8 class indices of a single-channel PNG, 255 for unlabelled.

    :raises DatasetError: missing, not such a picture, or with classes beyond the last
    """
    labels = _read_label_image(path)
    if labels.ndim == 3:
        labels = _palette_indices(path, labels)
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise DatasetError(f'{path}: expected one 8-bit channel of class indices, got {labels.dtype} {labels.shape}; '
                           'for masks in colour set labels: colors')
    check_labels(labels, num_classes, str(path))
    return labels


def check_labels(labels: np.ndarray, num_classes: int, source: str) -> None:
    """:raises DatasetError: a value of `labels` is neither class nor UNLABELLED; `source` says where it came from."""
    used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    wrong = used[(used >= num_classes) & (used != UNLABELLED)]
    if wrong.size:
        raise DatasetError(f'{source} holds class {wrong[0]}: expected 0..{num_classes - 1} or {UNLABELLED}; mend the '
                           'labels or give the class map they belong to')


def read_color_labels(path: Path, colors: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """(H, W) uint8 class indices of a colour picture; black is unlabelled unless it is a class.

    :param colors: RGB of each class
    :raises DatasetError: missing, not in colour, or with a colour of no class
    """
    bgr = _read_label_image(path)
    if bgr.ndim == 3 and bgr.shape[2] == 4:
        bgr = bgr[..., :3]      # drawing tools add an opaque channel
    if bgr.ndim != 3 or bgr.dtype != np.uint8:
        raise DatasetError(f'{path}: expected an 8-bit colour picture, got {bgr.dtype} {bgr.shape}; for class indices '
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
        raise DatasetError(f'{path} holds the colour [{value >> 16}, {value >> 8 & 255}, {value & 255}], which is no '
                           'class of the class map')
    return labels


def _palette_indices(path: Path, labels: np.ndarray) -> np.ndarray:
    """The indices of a PNG with a palette, which OpenCV gives in colour; `labels` itself for any other picture."""
    with Image.open(path) as picture:
        return np.asarray(picture) if picture.mode == 'P' else labels


def _read_label_image(path: Path) -> np.ndarray:
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DatasetError(f'{path} is missing or not a readable PNG: every image needs its labels')
    return labels
