# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Test images in the encodings that cameras send."""
from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

from fanet_ros.images.raw_image import BAYER, FORMATS, NV24, PLANAR, SEMI_PLANAR, RawImage

ENCODINGS = (*(name for name, item in FORMATS.items() if item.bits == 8), *SEMI_PLANAR, *PLANAR, NV24)


def random_image(encoding: str, height: int, width: int, padding: int = 0, seed: int = 0) -> RawImage:
    """An image of random bytes with `padding` bytes at the end of each row."""
    rows, row_bytes = height, width
    if encoding in FORMATS:
        row_bytes *= FORMATS[encoding].channels
    else:
        rows = 3 * height if encoding == NV24 else 3 * height // 2
    data = np.random.default_rng(seed).integers(0, 256, (rows, row_bytes + padding), np.uint8)
    return RawImage(encoding, height, width, data[:, :row_bytes])


def as_sent(rgb: np.ndarray, encoding: str) -> RawImage:
    """Convert (H, W, 3) uint8 RGB with even sides to bgr8, rgba8, mono8, yuyv, nv12, nv24 or bayer_*8."""
    height, width = rgb.shape[:2]
    rows: Optional[np.ndarray] = None
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    u, v = (plane.reshape(height // 2, width // 2) for plane in np.split(yuv[height:].reshape(-1), 2))
    if encoding in ('bgr8', 'rgba8', 'mono8'):
        rows = cv2.cvtColor(rgb, {'bgr8': cv2.COLOR_RGB2BGR, 'rgba8': cv2.COLOR_RGB2RGBA, 'mono8': cv2.COLOR_RGB2GRAY}[encoding])
    elif encoding == 'yuyv':
        rows = np.empty((height, width, 2), np.uint8)
        rows[..., 0], rows[:, ::2, 1], rows[:, 1::2, 1] = yuv[:height], u.repeat(2, 0), v.repeat(2, 0)
    elif encoding == 'nv12':
        rows = np.vstack([yuv[:height], np.dstack([u, v]).reshape(height // 2, width)])
    elif encoding == 'nv24':
        pairs = np.dstack([u, v]).repeat(2, 0).repeat(2, 1)
        rows = np.vstack([yuv[:height], pairs.reshape(2 * height, width)])
    elif encoding[6:10] in BAYER:
        rows = np.empty((height, width), np.uint8)
        for place, color in enumerate(encoding[6:10]):
            rows[place // 2::2, place % 2::2] = rgb[place // 2::2, place % 2::2, 'rgb'.index(color)]
    assert rows is not None
    return RawImage(encoding, height, width, rows.reshape(rows.shape[0], -1))
