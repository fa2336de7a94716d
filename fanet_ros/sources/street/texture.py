# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Textures mapped onto quadrilaterals of the street, and the noise that makes them look real."""
from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

# Coverage of a texel: from HULL upwards it sets the label, from SOLID upwards the colour too. Values between are
# see-through but belong to the thing, as in manual labels: the air between twigs, railings or spokes.
NOTHING, SEEN_THROUGH, OPAQUE = 0, 128, 255
HULL, SOLID = 64, 154
# (256,) float32: opacity of a sparse texture by coverage.
SHARE = np.clip((np.arange(256, dtype=np.float32) - SEEN_THROUGH) / (OPAQUE - SEEN_THROUGH), 0, 1)
SMALLEST_TEXELS = 2


class Texture:
    """A texture of one class, cached in every size and haze step requested so far.

    :param rgb: (h, w, 3), any dtype, clipped to 0..255; its first row is the top
    :param label: class of everything it covers
    :param cover: coverage (h, w) uint8, NOTHING to OPAQUE; None: opaque everywhere
    """

    def __init__(self, rgb: np.ndarray, label: int, cover: Optional[np.ndarray] = None) -> None:
        rgb = np.ascontiguousarray(np.clip(rgb, 0, 255).astype(np.uint8))
        self.label, self.is_opaque = label, cover is None
        self.rim = int(self.is_opaque)  # extra copies of the last row and column, so that neighbours join up
        self.is_sparse = False      # largely see-through: partial coverage is blended with the background
        # Where it is small, one colour is enough.
        self.is_compact = cover is None or float(cv2.mean(cover)[0]) > 0.68 * OPAQUE
        if cover is None:
            cover = np.full(rgb.shape[:2], OPAQUE, np.uint8)
            self.mean = np.array(cv2.mean(rgb)[:3], np.float32)
        else:
            solid = cv2.compare(cover, SOLID, cv2.CMP_GE)  # type: ignore[call-overload]  # OpenCV's stubs lack the scalar
            self.mean = np.array(cv2.mean(rgb, solid)[:3], np.float32)
            rgb[cover <= SEEN_THROUGH] = self.mean      # no dark seams
            self.is_sparse = bool((cover == SEEN_THROUGH).sum() > 0.25 * np.count_nonzero(cover))
        self._pixels = cv2.merge([rgb, cover])
        self.height, self.width = rgb.shape[:2]
        self._levels: dict[tuple[int, int, int], np.ndarray] = {}

    def level(self, shrink_x: int, shrink_y: int, haze_step: int, haze_tables: np.ndarray) -> np.ndarray:
        """(h / 2**shrink_y, w / 2**shrink_x, 4) uint8: RGB in the haze, and coverage; `rim` larger each way."""
        key = (shrink_x, shrink_y, haze_step)
        pixels = self._levels.get(key)
        if pixels is None:
            size = (max(self.width >> shrink_x, SMALLEST_TEXELS), max(self.height >> shrink_y, SMALLEST_TEXELS))
            pixels = self._pixels
            if shrink_x or shrink_y:
                pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            if haze_step:
                pixels = cv2.LUT(pixels, haze_tables[haze_step])
            if self.rim:
                pixels = cv2.copyMakeBorder(pixels, 0, self.rim, 0, self.rim, cv2.BORDER_REPLICATE)
            self._levels[key] = pixels
        return pixels


def grain(rng: np.random.Generator, height: int, width: int, *strengths: float) -> np.ndarray:
    """Seamless noise (height, width, 1) float32 around 1: octaves of 1, 4, 16, ... texels in the given strengths."""
    total = np.ones((height, width), np.float32)
    for octave, strength in enumerate(strengths):
        if not strength:
            continue
        scale = 4 ** octave
        rows, columns = max(height // scale, 1), max(width // scale, 1)
        noise: np.ndarray = rng.standard_normal((rows, columns), np.float32) * np.float32(strength)
        if octave:
            around = np.pad(noise, 2, mode='wrap')
            large = cv2.resize(around, ((columns + 4) * scale, (rows + 4) * scale), interpolation=cv2.INTER_LINEAR)
            noise = cv2.resize(large[2 * scale:-2 * scale, 2 * scale:-2 * scale], (width, height))
        total += noise
    return np.maximum(total, 0.2)[..., None]


def ramp(height: int, top: float, bottom: float) -> np.ndarray:
    """Vertical shading, (height, 1, 1) float32 from `top` to `bottom`."""
    return np.linspace(top, bottom, height, dtype=np.float32)[:, None, None]
