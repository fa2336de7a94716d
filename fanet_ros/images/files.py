# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image files, read by OpenCV."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import cv2
import numpy as np


def read_pixels(path: Path, mode: int = cv2.IMREAD_COLOR) -> Optional[np.ndarray]:
    """The image as by cv2.imread(); None if it is unreadable, also if its header claims a size that OpenCV refuses to decode."""
    try:
        image: Optional[np.ndarray] = cv2.imread(str(path), mode)
    except cv2.error:
        return None
    return image
