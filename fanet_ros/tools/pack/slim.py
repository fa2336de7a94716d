# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Smaller copies of images and soft labels, for transfer with limited size; training hardly suffers."""
from __future__ import annotations

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Collection, Iterable

import cv2
import numpy as np

from fanet_ros.datasets.image_files import orientation_of
from fanet_ros.datasets.soft_labels import CLASSES, write_soft_labels
from fanet_ros.images.files import EVERY_BIT, decoded_pixels

LEVELS = 16         # of soft labels
WEBP_SIDE_PX = 16383        # the longest side of a WebP image


def slim_copies(files: Iterable[Path], images: Collection[Path], quality: int, into: Path) -> None:
    """Write a copy of each image and each soft label file below `into`, unless it would not be smaller.

    :param images: those of the files that are images to train on; labels are not
    :param quality: WebP quality, 1 to 100
    """
    def slim(path: Path) -> None:
        copy = into / path
        if path.suffix == '.npz':
            soft_labels_copy(path, copy)
        elif path in images:
            image_copy(path, copy, quality)
        if copy.is_file() and copy.stat().st_size >= path.stat().st_size:
            copy.unlink()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(slim, [path for path in files if path.is_file()]))


def image_copy(path: Path, copy: Path, quality: int) -> None:
    """Write the image as WebP, whatever its suffix: readers go by the content.

    None of an image with an EXIF orientation, which would be lost, of one with 16 bits, whose depth depends on all images, or of
    one that is too large for WebP.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8)
    image = decoded_pixels(data, EVERY_BIT | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or image.dtype != np.uint8 or orientation_of(data) != 1 or max(image.shape) > WEBP_SIDE_PX:
        return      # what is unreadable, training reports
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(cv2.imencode('.webp', image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes())


def soft_labels_copy(path: Path, copy: Path) -> None:
    """Write the soft labels with LEVELS levels, which compress much better than 256."""
    step = 255 // (LEVELS - 1)
    with np.load(path, allow_pickle=False) as stored:
        frames = ((name, (np.round(stored[name] / step) * step).astype(np.uint8)) for name in stored.files if name != CLASSES)
        write_soft_labels(copy, [str(name) for name in stored[CLASSES]], frames, zipfile.ZIP_LZMA)
