# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG decoding that fails on damaged data. OpenCV's decoder prints a warning to stderr and goes on."""
from __future__ import annotations

from typing import Optional

import numpy as np

try:
    import simplejpeg
except ImportError:         # no distribution packages it: without it, damage is noticed only where decoding fails
    simplejpeg = None


def decode_strictly(data: bytes) -> Optional[np.ndarray]:
    """(H, W, 3) uint8 RGB of a colour JPEG, by the same library and with the same values as OpenCV.

    None if OpenCV has to decode it: another kind of file or of JPEG, or simplejpeg is not installed.

    :raises ValueError: the decoder reports damage. A flipped bit that leaves a valid stream goes unnoticed: JPEG has no
        checksum
    """
    if simplejpeg is None:
        return None
    try:
        kind = simplejpeg.decode_jpeg_header(data)[2]
    except ValueError:
        return None
    return simplejpeg.decode_jpeg(data, colorspace='RGB', strict=True) if kind == 'YCbCr' else None
