# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network compared with the authors' outputs, and fast attention with the formula written out."""
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from fanet_ros.model import FANet
from fanet_ros.model.attention import fast_attention

HERE = Path(__file__).parent
GOLDEN = np.load(HERE / 'golden_logits.npz')
_spec = importlib.util.spec_from_file_location('golden_weights', HERE / 'golden_weights.py')
golden_weights = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(golden_weights)


@pytest.mark.parametrize('entry', GOLDEN.files)
def test_official_flavor_reproduces_the_authors_logits(entry: str) -> None:
    backbone, seed, size = entry.split('_')
    seed, (height, width) = int(seed[len('seed'):]), map(int, size.split('x'))
    network = FANet(19, backbone, 'official').eval()
    golden_weights.fill(network.state_dict(), seed)
    with torch.no_grad():
        logits = network(golden_weights.image(height, width, seed)).numpy()
    assert np.abs(logits - GOLDEN[entry]).max() / np.abs(GOLDEN[entry]).max() < 1e-5


@pytest.mark.parametrize('scale', [1.0, 1 / 15])
def test_fast_attention_matches_the_quadratic_formula(scale: float) -> None:
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(2, 32, 15, generator=generator, dtype=torch.float64) for _ in range(2))
    value = torch.randn(2, 7, 15, generator=generator, dtype=torch.float64)
    expected = torch.zeros_like(value)
    for n in range(2):
        for i in range(15):
            for j in range(15):
                q, k = query[n, :, i], key[n, :, j]
                expected[n, :, i] += scale * (q @ k) / (q.norm() * k.norm()) * value[n, :, j]
    torch.testing.assert_close(fast_attention(query, key, value, scale), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('backbone', ['resnet18', 'resnet34', 'resnet50'])
@pytest.mark.parametrize('size', [(64, 64), (65, 97), (107, 161)])
def test_logits_are_at_an_eighth_of_any_size(backbone: str, size: 'tuple[int, int]') -> None:
    with torch.no_grad():
        logits = FANet(5, backbone).eval()(torch.zeros(1, 3, *size))
    assert logits.shape == (1, 5, -(-size[0] // 8), -(-size[1] // 8))


def test_parameters_match_the_published_count() -> None:
    assert sum(p.numel() for p in FANet(19, 'resnet18', 'official').parameters()) == pytest.approx(13.82e6, abs=5e3)
    assert sum(p.numel() for p in FANet(19, 'resnet34', 'official').parameters()) == pytest.approx(23.93e6, abs=5e3)


def test_reference_size_changes_nothing_at_that_size() -> None:
    plain, scaled = FANet(4, flavor='official').eval(), FANet(4, flavor='official', reference_size=(96, 128)).eval()
    scaled.load_state_dict(plain.state_dict())
    image, larger = torch.randn(1, 3, 96, 128), torch.randn(1, 3, 192, 256)
    with torch.no_grad():
        torch.testing.assert_close(scaled(image), plain(image), rtol=1e-4, atol=1e-4)
        assert not torch.allclose(scaled(larger), plain(larger), rtol=1e-2)


def test_too_small_images_are_rejected() -> None:
    with pytest.raises(ValueError, match='at least 64'):
        FANet(2).eval()(torch.zeros(1, 3, 63, 64))
