# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as cameras send them, 8 bits per value: bytes without padding, converted to RGB on the CPU. Needs no ROS."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Optional

import cv2
import numpy as np


@dataclass(frozen=True)
class PixelFormat:
    """Memory layout of an encoding: `channels` of `bits` each; and OpenCV's conversion to RGB (None: it is RGB)."""

    channels: int
    bits: int
    to_rgb: Optional[int]


# ROS names a Bayer pattern by the pixels starting at (0, 0), OpenCV by those starting at (1, 1).
BAYER = {'rggb': cv2.COLOR_BayerBG2RGB, 'bggr': cv2.COLOR_BayerRG2RGB,
         'gbrg': cv2.COLOR_BayerGR2RGB, 'grbg': cv2.COLOR_BayerGB2RGB}

FORMATS: dict[str, PixelFormat] = {
    'rgb8': PixelFormat(3, 8, None), 'bgr8': PixelFormat(3, 8, cv2.COLOR_BGR2RGB),
    'rgba8': PixelFormat(4, 8, cv2.COLOR_RGBA2RGB), 'bgra8': PixelFormat(4, 8, cv2.COLOR_BGRA2RGB),
    'mono8': PixelFormat(1, 8, cv2.COLOR_GRAY2RGB), '8UC1': PixelFormat(1, 8, cv2.COLOR_GRAY2RGB),
    '8UC3': PixelFormat(3, 8, cv2.COLOR_BGR2RGB), '8UC4': PixelFormat(4, 8, cv2.COLOR_BGRA2RGB),
    'rgb16': PixelFormat(3, 16, None), 'bgr16': PixelFormat(3, 16, cv2.COLOR_BGR2RGB),
    'rgba16': PixelFormat(4, 16, cv2.COLOR_RGBA2RGB), 'bgra16': PixelFormat(4, 16, cv2.COLOR_BGRA2RGB),
    'mono16': PixelFormat(1, 16, cv2.COLOR_GRAY2RGB), '16UC1': PixelFormat(1, 16, cv2.COLOR_GRAY2RGB),
    'yuv422': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_UYVY), 'uyvy': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_YUY2),
    **{f'bayer_{name}{bits}': PixelFormat(1, bits, code)
       for name, code in BAYER.items() for bits in (8, 16)},
}
# A luma plane with a half-height plane of interleaved chroma below it.
SEMI_PLANAR = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}
# A luma plane with two chroma planes below it, each half as high and half as wide.
PLANAR = {'i420': cv2.COLOR_YUV2RGB_I420, 'yv12': cv2.COLOR_YUV2RGB_YV12}
# A luma plane with a full-size plane of interleaved chroma below it.
NV24 = 'nv24'


@dataclass(frozen=True, eq=False)
class RawImage:
    """An image of `height` x `width` px in an `encoding` of 8 bits: a key of FORMATS, SEMI_PLANAR or PLANAR, or NV24.

    `rows` (R, B) uint8 are its bytes without padding: a view that may be strided and must not be written to. Planes lie one
    below the other, each as rows of B bytes. `full_size`: height and width of the camera's image, where decoding may have
    reduced it.
    """

    encoding: str
    height: int
    width: int
    rows: np.ndarray
    full_size: Optional[tuple[int, int]] = None

    @classmethod
    def of_rgb(cls, rgb: np.ndarray, full_size: Optional[tuple[int, int]] = None) -> RawImage:
        """From (H, W, 3) uint8 RGB, contiguous; for `full_size` see the class."""
        return cls('rgb8', rgb.shape[0], rgb.shape[1], rgb.reshape(len(rgb), -1), full_size)

    @property
    def frame_size(self) -> tuple[int, int]:
        """Height and width of the camera's image in px."""
        return self.full_size or (self.height, self.width)

    @cached_property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, contiguous; converted on the CPU on first access."""
        if self.encoding in SEMI_PLANAR or self.encoding in PLANAR:
            return cv2.cvtColor(np.ascontiguousarray(self.rows), {**SEMI_PLANAR, **PLANAR}[self.encoding])
        if self.encoding == NV24:
            return self._of_nv24()
        pixel_format = FORMATS[self.encoding]
        pixels = np.ascontiguousarray(self.rows)
        if pixel_format.channels > 1:
            pixels = pixels.reshape(self.height, self.width, pixel_format.channels)
        return pixels if pixel_format.to_rgb is None else cv2.cvtColor(pixels, pixel_format.to_rgb)

    def _of_nv24(self) -> np.ndarray:
        luma, chroma = self.rows[:self.height], np.ascontiguousarray(self.rows[self.height:])
        # Converted as nv12 of twice the size, keeping every other pixel: the same arithmetic as for the other encodings.
        doubled = np.vstack([luma.repeat(2, 0).repeat(2, 1), chroma.reshape(self.height, 2 * self.width)])
        return np.ascontiguousarray(cv2.cvtColor(doubled, SEMI_PLANAR['nv12'])[::2, ::2])
