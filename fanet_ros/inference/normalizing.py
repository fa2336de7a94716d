# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image of the network's size to its input, on the CPU.

On the thread of the caller: PyTorch's would have to wait for the threads of the engine, which spin for a while after each frame.
"""
from __future__ import annotations

from typing import Sequence

import cv2
import numpy as np


def normalized(rgb: np.ndarray, means: Sequence[float], scales: Sequence[float]) -> np.ndarray:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32: (value - mean) * scale for each channel.

    :param means: 0..255
    """
    images = np.empty((1, 3, *rgb.shape[:2]), np.float32)
    for plane, values, mean, scale in zip(images[0], cv2.split(rgb), means, scales):
        plane[:] = values
        plane -= np.float32(mean)
        plane *= np.float32(scale)
    return images
