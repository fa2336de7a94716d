# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resizing of frames on the CPU to the network's input size."""
from __future__ import annotations

import cv2
import numpy as np


def interpolation(source: tuple[int, int], target: tuple[int, int]) -> int:
    """OpenCV's interpolation from one (height, width) to another: area averaging where the image shrinks, else bilinear."""
    return cv2.INTER_AREA if target[0] * target[1] < source[0] * source[1] else cv2.INTER_LINEAR


def resized(rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    """`rgb`, (H, W, 3) uint8, at `height` x `width` px; the same array if it already is."""
    if rgb.shape[:2] == (height, width):
        return rgb
    return cv2.resize(rgb, (width, height), interpolation=interpolation(rgb.shape[:2], (height, width)))
