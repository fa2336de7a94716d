# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG decoding that does not pass over damage. OpenCV's decoder writes what it finds to stderr and goes on."""
from __future__ import annotations

from typing import Optional

import numpy as np

try:
    import simplejpeg
except ImportError:         # it is in no distribution's packages: without it damage is seen only where decoding breaks off
    simplejpeg = None


def decode_strictly(data: bytes) -> Optional[np.ndarray]:
    """(H, W, 3) uint8 RGB of a colour JPEG, by the same library and with the same values as OpenCV; None for what OpenCV is to
    decode: another file or kind of JPEG, or simplejpeg is not installed.

    :raises ValueError: the decoder complains. A flipped bit that leaves a valid stream it cannot see, as nobody can: JPEG has
        no checksum
    """
    if simplejpeg is None:
        return None
    try:
        kind = simplejpeg.decode_jpeg_header(data)[2]
    except ValueError:
        return None
    return simplejpeg.decode_jpeg(data, colorspace='RGB', strict=True) if kind == 'YCbCr' else None
