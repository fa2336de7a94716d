# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bit depth of the 16-bit images among some files of one camera: the same for a file whichever are read, in whatever order."""
from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Optional

import numpy as np

from fanet_ros.images.bit_depth import DEPTHS, BitDepth, bits_of, upper_bits
from fanet_ros.images.files import EVERY_BIT, read_pixels

SAMPLED = 9                 # files, spread over all


class FolderBitDepth(BitDepth):
    """The smallest depth that holds all values of some of the files, read when the first 16-bit image is converted; thread-safe.

    A dim image alone would seem to have fewer bits than the others, and be brightened. An image with more bits than those that
    were read has its own depth, as it would have in the node, and does not change that of the others.

    :param paths: all images of the camera, in a fixed order
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__()
        self._paths: Optional[Sequence[Path]] = paths       # None: measured
        self._lock = threading.Lock()

    def to_bytes(self, values: np.ndarray, note: Callable[[str], None]) -> np.ndarray:
        """Same as BitDepth.to_bytes(); never calls `note`."""
        with self._lock:
            if self._paths is not None:
                self._bits, self._paths = _measured(self._paths), None
        return upper_bits(values, bits_of(values, self._bits))


def _measured(paths: Sequence[Path]) -> int:
    bits = DEPTHS[0]
    for place in sorted({round(place) for place in np.linspace(0, len(paths) - 1, SAMPLED).tolist()}) if paths else []:
        image = read_pixels(paths[place], EVERY_BIT)
        if image is not None and image.dtype == np.uint16:
            bits = bits_of(image, bits)
    return bits
