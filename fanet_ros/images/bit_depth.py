# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bit depth of 16-bit images: sensors deliver 10, 12 or 14 bits, and drivers leave the upper ones empty."""
from __future__ import annotations

from typing import Callable

import numpy as np

DEPTHS = (10, 12, 14, 16)


class BitDepth:
    """Converts one camera's 16-bit values to 8 bits.

    :param bits: 9..16; 0: the smallest of DEPTHS that holds all values received so far
    """

    def __init__(self, bits: int = 0) -> None:
        self._bits = bits or DEPTHS[0]
        self._is_automatic = not bits

    @property
    def bits(self) -> int:
        """10 to 16 so far, or what was given."""
        return self._bits

    def to_bytes(self, values: np.ndarray, note: Callable[[str], None]) -> np.ndarray:
        """uint16 of any shape -> uint8; values beyond the depth become 255.

        :param note: called with a sentence if fewer than 16 bits are used
        """
        if self._is_automatic and self._bits < 16:
            self._bits = bits_of(values, self._bits)
            if self._bits < 16:
                note(f'16-bit values use {self._bits} bits so far (up to {2**self._bits - 1}): set bit_depth if the images are '
                     'too bright or too dark')
        return upper_bits(values, self._bits)


def bits_of(values: np.ndarray, least: int = DEPTHS[0]) -> int:
    """The smallest of DEPTHS, from `least` on, that holds all `values`, uint16."""
    largest = int(values.max())
    return next(bits for bits in DEPTHS if bits >= least and largest < 2**bits)


def upper_bits(values: np.ndarray, bits: int) -> np.ndarray:
    """The upper 8 of `bits` bits, uint8, of uint16 of any shape; larger values become 255."""
    shifted = values >> (bits - 8)
    return shifted.astype(np.uint8) if bits == 16 else np.minimum(shifted, 255).astype(np.uint8)
