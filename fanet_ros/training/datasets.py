"""Labelled images for training and evaluation, kept in memory."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence, Union

import cv2
import numpy as np

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp')
UNLABELLED = 255


class DatasetError(ValueError):
    """A data set cannot be used; the message names the file and the remedy."""


@dataclass(frozen=True)
class Sample:
    """One labelled image: `rgb` (H, W, 3) uint8, `labels` (H, W) uint8 with 255 for unlabelled pixels."""

    name: str
    rgb: np.ndarray
    labels: np.ndarray


def load_folder(root: Union[str, Path], num_classes: int, *, keep: Optional[Callable[[str], bool]] = None,
                read: Optional[Callable[[Path], np.ndarray]] = None) -> list[Sample]:
    """Read `root/images/NAME.{jpg,png}` with `root/labels/NAME.png`.

    :param keep: takes a NAME, says whether it is read; None reads all
    :param read: reads a label file; None: as read_labels() does
    :raises DatasetError: no images, labels without image or an image without labels, unreadable, of another size, with
        classes out of range
    """
    root = Path(root).expanduser()
    paths = sorted(path for path in (root / 'images').glob('*') if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise DatasetError(f'no images in {root / "images"}: expected images/NAME.jpg with labels/NAME.png beside it')
    orphans = sorted({path.stem for path in (root / 'labels').glob('*.png')} - {path.stem for path in paths})
    if orphans:
        raise DatasetError(f'{root / "labels" / orphans[0]}.png has no image in {root / "images"}: {len(paths)} images, '
                           f'{len(orphans)} labels too many')
    samples = []
    for path in paths:
        if keep is None or keep(path.stem):
            label_path = root / 'labels' / f'{path.stem}.png'
            rgb, labels = read_image(path), read(label_path) if read else read_labels(label_path, num_classes)
            if labels.shape != rgb.shape[:2]:
                raise DatasetError(f'{label_path} is {labels.shape[1]}x{labels.shape[0]}, its image '
                                   f'{rgb.shape[1]}x{rgb.shape[0]}: both must be of one size')
            samples.append(Sample(path.stem, rgb, labels))
    return samples


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
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise DatasetError(f'{path}: expected one 8-bit channel of class indices, got {labels.dtype} {labels.shape}; for '
                           'masks in colour set labels: colors')
    used = np.unique(labels)
    wrong = used[(used >= num_classes) & (used != UNLABELLED)]
    if wrong.size:
        raise DatasetError(f'{path} holds class {wrong[0]}: expected 0..{num_classes - 1} or {UNLABELLED}')
    return labels


def read_color_labels(path: Path, colors: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """(H, W) uint8 class indices of a colour picture; black is unlabelled unless it is a class.

    :param colors: RGB of each class
    :raises DatasetError: missing, not in colour, or with a colour of no class
    """
    bgr = _read_label_image(path)
    if bgr.ndim != 3 or bgr.dtype != np.uint8:
        raise DatasetError(f'{path}: expected an 8-bit colour picture, got {bgr.dtype} {bgr.shape}; for class indices set '
                           'labels: indices')
    key = bgr[..., 2].astype(np.int32) << 16 | bgr[..., 1].astype(np.int32) << 8 | bgr[..., 0]
    labels = np.full(key.shape, UNLABELLED, np.uint8)
    known = key == 0
    for index, (red, green, blue) in enumerate(colors):
        here = key == (red << 16 | green << 8 | blue)
        labels[here] = index
        known |= here
    if not known.all():
        value = int(key[~known][0])
        raise DatasetError(f'{path} holds the colour [{value >> 16}, {value >> 8 & 255}, {value & 255}], which is no class of '
                           'the class map')
    return labels


def _read_label_image(path: Path) -> np.ndarray:
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DatasetError(f'{path} is missing or not a readable PNG: every image needs its labels')
    return labels
