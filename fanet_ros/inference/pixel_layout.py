# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory layout of camera encodings, as the offsets and strides by which a GPU reads the values of a pixel."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Optional


class Plane(NamedTuple):
    """Position of one value of every pixel in bytes: of the first pixel, and the strides to the next row and column."""

    first: int
    row: int
    column: int


@dataclass(frozen=True)
class PixelLayout:
    """Layout of an encoding at one image size.

    `kind` is 'rgb' (`planes` are red, green and blue), 'yuv' (Y, U and V) or 'bayer' (the only plane, three times). `halving`:
    for 'yuv', how many times the rows and columns of U and V are halved; for 'bayer', row and column of the first red pixel.
    """

    kind: str
    planes: tuple[Plane, Plane, Plane]
    halving: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, encoding: str, height: int, width: int) -> Optional[PixelLayout]:
        """Layout of a sensor_msgs encoding, without row padding; None if it is not supported on a GPU."""
        if encoding in _PACKED:
            count, channels = _PACKED[encoding]
            return cls('rgb', _interleaved(channels, count, width))
        if encoding in _YUV_422:
            y, u, v = _YUV_422[encoding]
            return cls('yuv', (Plane(y, 2 * width, 2), Plane(u, 2 * width, 4), Plane(v, 2 * width, 4)), (0, 1))
        brightness, size = Plane(0, width, 1), height * width
        if encoding in ('nv12', 'nv21'):
            pair = Plane(size, width, 2), Plane(size + 1, width, 2)
            return cls('yuv', (brightness, *(pair if encoding == 'nv12' else pair[::-1])), (1, 1))
        if encoding in ('i420', 'yv12'):
            pair = Plane(size, width // 2, 1), Plane(size + size // 4, width // 2, 1)
            return cls('yuv', (brightness, *(pair if encoding == 'i420' else pair[::-1])), (1, 1))
        if encoding == 'nv24':
            return cls('yuv', (brightness, Plane(size, 2 * width, 2), Plane(size + 1, 2 * width, 2)))
        if encoding in _FIRST_RED:
            return cls('bayer', (brightness,) * 3, _FIRST_RED[encoding])
        return None


# Number of channels, and the indices of red, green and blue among them.
_PACKED = {'rgb8': (3, (0, 1, 2)), 'bgr8': (3, (2, 1, 0)), '8UC3': (3, (2, 1, 0)), 'rgba8': (4, (0, 1, 2)), 'bgra8': (4, (2, 1, 0)),
           '8UC4': (4, (2, 1, 0)), 'mono8': (1, (0, 0, 0)), '8UC1': (1, (0, 0, 0))}
# Byte offsets of Y, U and V in the four bytes of two pixels.
_YUV_422 = {'yuyv': (0, 1, 3), 'yuv422_yuy2': (0, 1, 3), 'uyvy': (1, 0, 2), 'yuv422': (1, 0, 2)}
_FIRST_RED = {'bayer_rggb8': (0, 0), 'bayer_grbg8': (0, 1), 'bayer_gbrg8': (1, 0), 'bayer_bggr8': (1, 1)}


def _interleaved(channels: tuple[int, int, int], count: int, width: int) -> tuple[Plane, Plane, Plane]:
    red, green, blue = (Plane(channel, count * width, count) for channel in channels)
    return red, green, blue
