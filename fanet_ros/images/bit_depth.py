# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which bits of 16-bit values carry the picture: sensors give 10, 12 or 14, and drivers leave the upper ones empty."""
from __future__ import annotations

from typing import Callable

import numpy as np

DEPTHS = (10, 12, 14, 16)


class BitDepth:
    """Turns 16-bit values of one camera into 8-bit ones.

    :param bits: 9..16; 0: the least of DEPTHS that holds all values that came until now
    """

    def __init__(self, bits: int = 0) -> None:
        self._bits = bits or DEPTHS[0]
        self._is_found = not bits

    def to_bytes(self, values: np.ndarray, note: Callable[[str], None]) -> np.ndarray:
        """uint16 of any shape -> uint8; what is beyond the depth becomes 255.

        :param note: is told when fewer than 16 bits are used, in a sentence
        """
        if self._is_found and self._bits < 16:
            largest = int(values.max())
            self._bits = next(bits for bits in DEPTHS if bits >= self._bits and largest < 2**bits)
            if self._bits < 16:
                note(f'16-bit values of {self._bits} bits (up to {2**self._bits - 1}), as far as they go: set bit_depth if the '
                     'pictures are too bright or too dark')
        shifted = values >> (self._bits - 8)
        return shifted.astype(np.uint8) if self._bits == 16 else np.minimum(shifted, 255).astype(np.uint8)
