# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image files, read and written by OpenCV."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import cv2
import numpy as np

from fanet_ros.images.bit_depth import BitDepth

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.ppm', '.webp')
JPEG_SIDE_PX = 65500         # the longest side that OpenCV writes
EVERY_BIT = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH      # mode for the values as they are in the file, without alpha


def read_pixels(path: Path, mode: int = cv2.IMREAD_COLOR) -> Optional[np.ndarray]:
    """The image as by cv2.imread(); None if it is unreadable, also if its header claims a size that OpenCV refuses to decode."""
    return decoded_pixels(_content(path), mode)


def read_bgr(path: Path, bit_depth: BitDepth) -> Optional[np.ndarray]:
    """The image as (H, W, 3) uint8 BGR, rotated as EXIF says; None if it is unreadable.

    :param bit_depth: for 16-bit values
    """
    return decoded_bgr(_content(path), bit_depth)


def decoded_bgr(data: np.ndarray, bit_depth: BitDepth, flags: int = 0) -> Optional[np.ndarray]:
    """An image file's bytes as (H, W, 3) uint8 BGR, rotated as EXIF says; None if it is unreadable.

    :param bit_depth: for 16-bit values
    :param flags: more flags of cv2.imdecode()
    """
    image = decoded_pixels(data, EVERY_BIT | flags)
    if image is not None and image.dtype == np.uint16:
        return bit_depth.to_bytes(image, lambda _: None)
    return image if image is None or image.dtype == np.uint8 else decoded_pixels(data, cv2.IMREAD_COLOR | flags)


def decoded_pixels(data: np.ndarray, mode: int) -> Optional[np.ndarray]:
    """An image file's bytes as by cv2.imdecode(); None if there are none or they are unreadable, see read_pixels()."""
    try:
        return cv2.imdecode(data, mode) if data.size else None
    except cv2.error:
        return None


def _content(path: Path) -> np.ndarray:
    """The bytes of a file, none if it cannot be read."""
    try:
        return np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return np.empty(0, np.uint8)


def write_jpeg(path: Path, rgb: np.ndarray, quality: int) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG, reduced where a side is longer than JPEG_SIDE_PX.

    :raises OSError: it cannot be written, which cv2.imwrite() keeps to itself
    """
    height, width = rgb.shape[:2]
    if max(height, width) > JPEG_SIDE_PX:
        scale = JPEG_SIDE_PX / max(height, width)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        rgb = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    path.write_bytes(cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
