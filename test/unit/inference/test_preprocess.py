# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Preprocessing on the CPU; for the GPU see test_device_image.py."""
from pathlib import Path

import cv2
import numpy as np
import torch

from fanet_ros.inference.preprocess import CALIBRATION_FRAMES, Preprocessor
from fanet_ros.model.checkpoint import IMAGENET_MEAN, IMAGENET_STD


def test_normalisation_and_layout() -> None:
    rgb = np.zeros((64, 80, 3), np.uint8)
    rgb[..., 0], rgb[3, 5] = 255, (0, 128, 255)
    images = Preprocessor(IMAGENET_MEAN, IMAGENET_STD, torch.device('cpu'))(rgb, 64, 80)
    assert images.shape == (1, 3, 64, 80) and images.dtype == torch.float32
    expected = (np.array([0, 128, 255]) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(images[0, :, 3, 5], expected, atol=1e-5)


def test_read_only_frame_of_any_layout_is_accepted() -> None:
    values = np.random.default_rng(0).integers(0, 256, 64 * 80 * 3, np.uint8)
    values.flags.writeable = False
    packed, turned, planar = values.reshape(64, 80, 3), values.reshape(80, 64, 3), values.reshape(3, 64, 80)
    preprocess = Preprocessor(IMAGENET_MEAN, IMAGENET_STD, torch.device('cpu'))
    for rgb in (packed, packed[..., ::-1], turned.transpose(1, 0, 2), planar.transpose(1, 2, 0)):
        assert torch.equal(preprocess(rgb, 64, 80), preprocess(np.copy(rgb, order='C'), 64, 80))


def test_calibration_images_are_spread_over_the_folder(tmp_path: Path) -> None:
    for number in range(2 * CALIBRATION_FRAMES - 1):
        cv2.imwrite(str(tmp_path / f'{number:03d}.png'), np.full((2, 2, 3), number, np.uint8))
    (tmp_path / '999.bmp').write_bytes(b'BM' + bytes(12) + b'(\0\0\0' + 2 * b'\0\0\x10\0' + b'\1\0\x18\0' + bytes(24))
    preprocess = Preprocessor((0.0,) * 3, (1 / 255,) * 3, torch.device('cpu'))
    values = [int(image[0, 0, 0, 0]) for image in preprocess.calibration_images(tmp_path, 2, 2)]
    assert values[0] == 0 and values[-1] > 120 and len(values) == CALIBRATION_FRAMES - 1    # all but the one too large for OpenCV
    assert max(np.diff(values)) <= 3


def test_calibration_images_of_12_bits_look_as_in_the_node(tmp_path: Path) -> None:
    for name, value in (('1.png', 800), ('2.png', 4000)):
        cv2.imwrite(str(tmp_path / name), np.full((2, 2), value, np.uint16))
    preprocess = Preprocessor((0.0,) * 3, (1 / 255,) * 3, torch.device('cpu'))
    assert [round(float(image.max())) for image in preprocess.calibration_images(tmp_path, 2, 2)] == [800 >> 4, 4000 >> 4]
