"""Labelled images for training and evaluation, kept in memory."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Union

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


def load_folder(root: Union[str, Path], num_classes: int, *,
                keep: Optional[Callable[[str], bool]] = None) -> list[Sample]:
    """Read `root/images/NAME.{jpg,png}` with `root/labels/NAME.png` (single channel, class index or 255).

    :param keep: takes a NAME, says whether it is read; None reads all
    :raises DatasetError: no images, a label image missing, unreadable, of another size or with classes out of range
    """
    root = Path(root)
    paths = sorted(path for path in (root / 'images').glob('*') if path.suffix.lower() in IMAGE_SUFFIXES)
    paths = [path for path in paths if keep is None or keep(path.stem)]
    if not paths:
        raise DatasetError(f'no images in {root / "images"}: expected images/NAME.jpg with labels/NAME.png beside it')
    return [_read_sample(path, root / 'labels' / f'{path.stem}.png', num_classes) for path in paths]


def _read_sample(image_path: Path, label_path: Path, num_classes: int) -> Sample:
    bgr = cv2.imread(str(image_path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DatasetError(f'{image_path} is not a readable image: remove or replace it')
    labels = cv2.imread(str(label_path), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DatasetError(f'{label_path} is missing or not a readable PNG: every image needs its labels')
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise DatasetError(f'{label_path}: expected one 8-bit channel of class indices, got {labels.dtype} {labels.shape}')
    if labels.shape != bgr.shape[:2]:
        raise DatasetError(f'{label_path} is {labels.shape[1]}x{labels.shape[0]}, its image '
                           f'{bgr.shape[1]}x{bgr.shape[0]}: both must be of one size')
    used = np.unique(labels)
    wrong = used[(used >= num_classes) & (used != UNLABELLED)]
    if wrong.size:
        raise DatasetError(f'{label_path} holds class {wrong[0]}: expected 0..{num_classes - 1} or {UNLABELLED}')
    return Sample(image_path.stem, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), labels)
