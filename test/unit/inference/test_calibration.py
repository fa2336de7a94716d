# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that int8 is calibrated on."""
from pathlib import Path

import cv2
import numpy as np
import torch

from fanet_ros.inference.calibration import CALIBRATION_FRAMES, calibration_images
from fanet_ros.inference.preprocess import Preprocessor


def test_calibration_images_are_spread_over_the_folder(tmp_path: Path) -> None:
    for number in range(2 * CALIBRATION_FRAMES - 1):
        cv2.imwrite(str(tmp_path / f'{number:03d}.png'), np.full((2, 2, 3), number, np.uint8))
    (tmp_path / '999.bmp').write_bytes(b'BM' + bytes(12) + b'(\0\0\0' + 2 * b'\0\0\x10\0' + b'\1\0\x18\0' + bytes(24))
    preprocess = Preprocessor((0.0,) * 3, (1 / 255,) * 3, torch.device('cpu'))
    values = [int(image[0, 0, 0, 0]) for image in calibration_images(tmp_path, preprocess, 2, 2)]
    assert values[0] == 0 and values[-1] > 120 and len(values) == CALIBRATION_FRAMES - 1    # all but the one too large for OpenCV
    assert max(np.diff(values)) <= 3


def test_calibration_images_of_12_bits_look_as_in_the_node(tmp_path: Path) -> None:
    for name, value in (('1.png', 800), ('2.png', 4000)):
        cv2.imwrite(str(tmp_path / name), np.full((2, 2), value, np.uint16))
    preprocess = Preprocessor((0.0,) * 3, (1 / 255,) * 3, torch.device('cpu'))
    assert [round(float(image.max())) for image in calibration_images(tmp_path, preprocess, 2, 2)] == [800 >> 4, 4000 >> 4]
