# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Test images, and the pixels of image messages."""
from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:       # tests that need no ROS import this too
    from sensor_msgs.msg import Image

CHANNELS = {'rgb8': (3,), 'mono8': ()}


def blotches(seed: int, height: int = 120, width: int = 160) -> np.ndarray:
    """Random coloured rectangles, (height, width, 3) uint8, for which an untrained network predicts many classes."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def wide(values: np.ndarray, order: str = '<') -> np.ndarray:
    """16-bit values whose upper byte is `values` and whose lower byte is noise."""
    low = np.random.default_rng(1).integers(0, 256, values.shape, np.uint16)
    return (values.astype(np.uint16) << 8 | low).astype(f'{order}u2')


def pixels(message: Image) -> np.ndarray:
    """Pixels of an rgb8 (height, width, 3) or mono8 (height, width) message, uint8; its rows must not be padded."""
    channels = CHANNELS[message.encoding]
    assert (message.step, message.is_bigendian) == (message.width * max(1, sum(channels)), 0)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, *channels)
