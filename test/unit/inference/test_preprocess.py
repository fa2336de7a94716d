# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Preprocessing on the CPU; for the GPU see test_device_image.py."""
import numpy as np
import torch

from fanet_ros.inference.preprocess import Preprocessor
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
