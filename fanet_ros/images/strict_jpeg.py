# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG decoding that fails on damaged data. OpenCV's decoder prints a warning to stderr and goes on."""
from __future__ import annotations

from typing import Callable, Optional

import numpy as np

# Returns, for height and width of an image in px, those that suffice.
Suffices = Callable[[int, int], tuple[int, int]]

try:
    import simplejpeg
except ImportError:         # no distribution packages it: without it, damage is noticed only where decoding fails
    simplejpeg = None


def decode_strictly(data: bytes, suffices: Optional[Suffices] = None) -> Optional[tuple[np.ndarray, tuple[int, int]]]:
    """(H, W, 3) uint8 RGB of a colour JPEG, by the same library and with the same values as OpenCV; and its height and width.

    None if OpenCV has to decode it: another kind of file or of JPEG, or simplejpeg is not installed.

    :param suffices: the image may be decoded at a half, a quarter or an eighth of its size without computing the rest, if that
        is no smaller than this; None: at its full size
    :raises ValueError: the decoder reports damage. A flipped bit that leaves a valid stream goes unnoticed: JPEG has no
        checksum
    """
    if simplejpeg is None:
        return None
    try:
        height, width, kind, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if kind != 'YCbCr':
        return None
    factor = 1 if suffices is None else _factor((height, width), suffices(height, width))
    rgb = simplejpeg.decode_jpeg(data, colorspace='RGB', strict=True, min_height=height // factor, min_width=width // factor)
    return rgb, (height, width)


def _factor(size: tuple[int, int], least: tuple[int, int]) -> int:
    """The largest factor that divides both sides and leaves at least `least`; the decoder has fast code for these only."""
    return next((factor for factor in (8, 4, 2) if all(side % factor == 0 and side // factor >= enough
                                                       for side, enough in zip(size, least))), 1)
