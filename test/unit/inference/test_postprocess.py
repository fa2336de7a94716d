# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and confidence compared with explicit upsampling."""
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fanet_ros.inference import draw_overlay
from fanet_ros.inference.postprocess import labels_and_confidence, layer_by_layer
from fanet_ros.inference.upsampled_labels import upsampled_labels


def smooth_logits(classes: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    coarse = torch.randn(1, classes, 4, 5, generator=torch.Generator().manual_seed(seed)) * 3
    noise = torch.randn(1, classes, height, width, generator=torch.Generator().manual_seed(seed + 1))
    return F.interpolate(coarse, (height, width), mode='bilinear') + 0.3 * noise


@pytest.mark.parametrize(('low', 'size'), [
    ((45, 60), (360, 480)), ((8, 8), (64, 64)), ((9, 13), (65, 97)), ((45, 60), (97, 131)), ((45, 60), (20, 30)),
    ((1, 9), (7, 64)), ((9, 1), (64, 7)), ((8, 8), (1, 1)), ((2, 2), (200, 3)), ((12, 20), (720, 1280))])
def test_labels_are_the_argmax_of_the_upsampled_logits(low: 'tuple[int, int]', size: 'tuple[int, int]') -> None:
    logits = smooth_logits(11, *low)
    full = F.interpolate(logits.double(), size, mode='bilinear', align_corners=True)[0].numpy()
    labels, _ = upsampled_labels(logits[0].numpy(), size)
    assert labels.shape == size and labels.dtype == np.uint8
    best, second = np.sort(full, 0)[[-1, -2]]
    clear = best - second > 1e-5        # else rounding decides
    assert clear.mean() > 0.99 and np.array_equal(labels[clear], full.argmax(0)[clear])
    assert len(np.unique(labels)) > 3 or labels.size < 10


def test_confidence_is_the_probability_of_the_label() -> None:
    logits = smooth_logits(5, 10, 12)
    labels, confidence = labels_and_confidence(logits, (80, 96), True)
    probability = torch.softmax(F.interpolate(logits, (80, 96), mode='bilinear', align_corners=True)[0], 0).numpy()
    assert confidence is not None
    assert np.array_equal(labels, probability.argmax(0))
    assert np.abs(confidence.astype(float) - 255 * probability.max(0)).max() <= 0.51


@pytest.mark.parametrize('size', [(90, 120), (7, 9), (5, 7), (12, 8), (1, 1)])
@pytest.mark.parametrize('spread', [0.1, 3.0, 10.0, 30.0, 200.0])
def test_confidence_of_moderate_and_extreme_logits(size: 'tuple[int, int]', spread: float) -> None:
    logits = spread * torch.randn(1, 7, 6, 9, generator=torch.Generator().manual_seed(5)).double()
    full = F.interpolate(logits, size, mode='bilinear', align_corners=True)[0]
    expected = 255 * full.softmax(0).amax(0).numpy()
    _, confidence = labels_and_confidence(logits.float(), size, True)
    assert np.abs(confidence - expected).max() <= 1


def test_labels_do_not_depend_on_whether_confidence_is_requested() -> None:
    logits = smooth_logits(11, 30, 40)
    with_confidence, without = (labels_and_confidence(logits, (240, 320), requested)[0] for requested in (True, False))
    np.testing.assert_array_equal(with_confidence, without)


@pytest.mark.parametrize('alpha', [0.0, 0.3, 1.0])
def test_torch_overlay_matches_opencv(alpha: float) -> None:
    generator = np.random.default_rng(3)
    frame, palette = (generator.integers(0, 256, (*shape, 3), np.uint8) for shape in ((80, 96), (256,)))
    labels, confidence, overlay = layer_by_layer(
        smooth_logits(5, 10, 12), (80, 96), False, torch.from_numpy(frame), torch.from_numpy(palette), alpha)
    assert labels is not None and confidence is None and overlay is not None
    expected = draw_overlay(frame, labels.numpy(), palette, alpha)
    assert np.abs(overlay.numpy().astype(int) - expected).max() <= (1 if 0 < alpha < 1 else 0)
