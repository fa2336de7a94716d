# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Effects of lens and sensor: blur, white balance, tone curve, noise."""
from __future__ import annotations

import cv2
import numpy as np

NOISE_SHIFTS = 128
NOISE_TILE = 320             # px; repeats in larger images


class Exposure:
    """One camera. Frame i always has the same noise."""

    def __init__(self, width: int, height: int, balance: np.ndarray, rng: np.random.Generator) -> None:
        self._width, self._height = width, height
        self._blur_px = rng.uniform(0.4, 0.9)
        contrast, gain, lift = rng.uniform(0.0, 0.5), rng.uniform(0.85, 1.2), rng.uniform(0, 10)
        values = np.clip(np.arange(256) / 255.0 * gain, 0, 1)
        curve = values * (1 - contrast) + contrast * (3 * values ** 2 - 2 * values ** 3)
        self._table = np.clip(curve[:, None] * balance * (255 - lift) + lift, 0, 255).astype(np.uint8)[:, None]
        strength = rng.uniform(1.5, 4.5)
        grey, color = (rng.standard_normal((NOISE_TILE, NOISE_TILE, channels), np.float32) for channels in (1, 3))
        times = [-(-(size + NOISE_SHIFTS) // NOISE_TILE) for size in (height, width)]
        noise = np.tile((grey + 0.25 * color) * strength, (*times, 1))
        self._brighter = np.clip(noise, 0, 40).astype(np.uint8)
        self._darker = np.clip(-noise, 0, 40).astype(np.uint8)

    def expose(self, rgb: np.ndarray, index: int) -> np.ndarray:
        """Camera image (H, W, 3) uint8 of the rendered `rgb`."""
        x, y = (index * 97) % NOISE_SHIFTS, (index * 61) % NOISE_SHIFTS
        part = np.s_[y:y + self._height, x:x + self._width]
        taken = cv2.LUT(cv2.GaussianBlur(rgb, (3, 3), self._blur_px), self._table)
        return cv2.subtract(cv2.add(taken, self._brighter[part]), self._darker[part])
