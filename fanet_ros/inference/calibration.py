# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that int8 is calibrated on: a folder of images from the user's own camera."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator

import cv2
import numpy as np

from fanet_ros.images.files import IMAGE_SUFFIXES, read_bgr, read_pixels
from fanet_ros.images.folder_bit_depth import FolderBitDepth
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.segmentation import SegmentationError

CALIBRATION_FRAMES = 64


def check_calibration_images(folder: Path, name: str = 'calibration_images') -> None:
    """Check a folder of calibration frames; `name` is the parameter or option, for the message.

    :raises SegmentationError: `folder` does not exist, or contains no readable image
    """
    if not folder.is_dir():
        raise SegmentationError(f'{name} is {str(folder)!r}: no such folder; expected one with images from this camera')
    if not any(read_pixels(path) is not None for path in _images_in(folder)):
        raise SegmentationError(f'{name} is {str(folder)!r}: no readable image in it ({", ".join(IMAGE_SUFFIXES)}); '
                                'sub-folders are not searched')


def calibration_images(folder: Path, preprocess: Preprocessor, height: int, width: int) -> Iterator[np.ndarray]:
    """Up to CALIBRATION_FRAMES of the images in `folder`, spread over it, each as network input (1, 3, height, width) float32."""
    paths = _images_in(folder)
    bit_depth = FolderBitDepth(paths)
    for number in np.linspace(0, len(paths) - 1, min(len(paths), CALIBRATION_FRAMES)).round().astype(int):
        bgr = read_bgr(paths[number], bit_depth)
        if bgr is not None:
            yield preprocess(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), height, width).cpu().contiguous().numpy()


def _images_in(folder: Path) -> list[Path]:
    """Image files in `folder`, sorted by name; none if there is no such folder."""
    return sorted(path for path in folder.glob('*') if path.suffix.lower() in IMAGE_SUFFIXES)
