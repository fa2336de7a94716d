# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An encoder that starts with folded weights computes the same as they do, and can be trained."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fanet_ros.model import FANet
from fanet_ros.training.imagenet_encoder import start_from_imagenet


def folded_weights(path: Path) -> dict[str, torch.Tensor]:
    """Random weights under the names of the shipped file."""
    rng = np.random.default_rng(0)
    shapes = {'conv1': (64, 3, 7, 7)}
    for layer, (inside, outside) in enumerate(((64, 64), (64, 128), (128, 256)), 1):
        for block in range(2):
            shapes[f'layer{layer}.{block}.conv1'] = (outside, outside if block else inside, 3, 3)
            shapes[f'layer{layer}.{block}.conv2'] = (outside, outside, 3, 3)
        if layer > 1:
            shapes[f'layer{layer}.0.downsample.0'] = (outside, inside, 1, 1)
    shapes['layer4.0.downsample.0'] = (512, 256, 1, 1)
    arrays = {}
    for name, shape in shapes.items():
        arrays[f'{name}.weight'] = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)
        arrays[f'{name}.bias'] = rng.normal(0, 0.1, shape[0]).astype(np.float32)
    np.savez(path, **arrays)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def resnet_features(images: torch.Tensor, weights: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """layer1..layer3 as folded convolutions with the strides and activations of FANet's encoder."""
    def conv(x: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        weight = weights[f'{name}.weight']
        return F.conv2d(x, weight, weights[f'{name}.bias'], stride, weight.shape[-1] // 2)

    x = F.max_pool2d(F.leaky_relu(conv(images, 'conv1', 2), 0.01), 3, 2, 1)
    features = []
    for layer in (1, 2, 3):
        for block in (0, 1):
            name, stride = f'layer{layer}.{block}', 1 if block else 2
            shortcut = x
            if not block:
                shortcut = x[:, :, ::2, ::2] if layer == 1 else conv(x, f'{name}.downsample.0', 2)
            x = F.relu(conv(F.leaky_relu(conv(x, f'{name}.conv1', stride), 0.01), f'{name}.conv2') + shortcut)
        features.append(x)
    return features


def test_encoder_matches_the_folded_one(tmp_path: Path) -> None:
    weights = folded_weights(tmp_path / 'weights.npz')
    torch.manual_seed(0)
    network = FANet(3, aux_heads=True).train()
    line = start_from_imagenet(network, torch.randn(4, 3, 128, 128), tmp_path / 'weights.npz')
    assert 'layer4' in line and network.training
    images = torch.randn(2, 3, 96, 160)         # not those that the statistics were taken from
    with torch.no_grad():
        features = network.resnet.eval()(images)
    for feature, expected in zip(features, resnet_features(images, weights)):
        torch.testing.assert_close(feature, expected, rtol=1e-3, atol=1e-3)
    shortcut = F.conv2d(features[2], weights['layer4.0.downsample.0.weight'], weights['layer4.0.downsample.0.bias'], 2)
    torch.testing.assert_close(features[3], F.relu(shortcut), rtol=1e-3, atol=1e-3)
    network.train()(torch.randn(2, 3, 128, 128)).square().mean().backward()
    assert network.resnet.layer4[1].bn2.weight.grad.abs().max() > 0


def test_the_shipped_file_fits() -> None:
    network = FANet(3)
    before = network.resnet.layer3[1].conv2.weight.clone()
    torch.manual_seed(0)
    start_from_imagenet(network, torch.randn(2, 3, 64, 64))
    weight = network.resnet.layer3[1].conv2.weight
    assert not torch.equal(before, weight) and 0.001 < float(weight.detach().std()) < 0.1


def test_unsuitable_weights_are_rejected(tmp_path: Path) -> None:
    images = torch.zeros(1, 3, 64, 64)
    with pytest.raises(ValueError, match='the recipe trains a resnet34'):
        start_from_imagenet(FANet(2, 'resnet34'), images)
    with pytest.raises(ValueError, match='cannot be read'):
        start_from_imagenet(FANet(2), images, tmp_path / 'missing.npz')
    (tmp_path / 'empty.npz').write_bytes(b'')
    with pytest.raises(ValueError, match='cannot be read'):
        start_from_imagenet(FANet(2), images, tmp_path / 'empty.npz')
