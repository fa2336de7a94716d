# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image files, read and written by OpenCV."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import cv2
import numpy as np

from fanet_ros.images.bit_depth import BitDepth


def read_pixels(path: Path, mode: int = cv2.IMREAD_COLOR) -> Optional[np.ndarray]:
    """The image as by cv2.imread(); None if it is unreadable, also if its header claims a size that OpenCV refuses to decode."""
    try:
        image: Optional[np.ndarray] = cv2.imread(str(path), mode)
    except cv2.error:
        return None
    return image


def read_bgr(path: Path, bit_depth: BitDepth) -> Optional[np.ndarray]:
    """The image as (H, W, 3) uint8 BGR, rotated as EXIF says; None if it is unreadable.

    :param bit_depth: for 16-bit values
    """
    image = read_pixels(path, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if image is not None and image.dtype == np.uint16:
        return bit_depth.to_bytes(image, lambda _: None)
    return image if image is None or image.dtype == np.uint8 else read_pixels(path)


def write_jpeg(path: Path, rgb: np.ndarray, quality: int) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG.

    :raises OSError: it cannot be written, which cv2.imwrite() keeps to itself
    """
    path.write_bytes(cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
