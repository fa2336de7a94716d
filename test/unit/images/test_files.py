# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image files that are written."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.images.files import JPEG_SIDE_PX, write_jpeg


@pytest.mark.parametrize('shape', [(6, 70000), (70000, 1)])
def test_an_image_that_is_too_long_for_jpeg_is_reduced(tmp_path: Path, shape: tuple[int, int]) -> None:
    write_jpeg(tmp_path / 'long.jpg', np.full((*shape, 3), 90, np.uint8), 90)
    read = cv2.imread(str(tmp_path / 'long.jpg'))
    assert read is not None and max(read.shape) == JPEG_SIDE_PX and abs(int(read.mean()) - 90) <= 2
