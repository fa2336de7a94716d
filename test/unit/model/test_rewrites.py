# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rewritten network compared with the original, in float64."""
from collections.abc import Iterator
from typing import Optional

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fanet_ros.model import FANet
from fanet_ros.model.folded_conv import fold_batch_norm
from fanet_ros.model.rewrites import InferenceFANet
from fanet_ros.model.rewritten_attention import Attention
from fanet_ros.model.rewritten_head import shifted_interpolation


@pytest.fixture(autouse=True)
def no_gradients_fixture() -> Iterator[None]:
    with torch.no_grad():
        yield


def network(backbone: str, flavor: str) -> FANet:
    """A network with random weights and, unlike a fresh one, random BatchNorm statistics."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = FANet(6, backbone, flavor, aux_heads=flavor == 'paper').double().eval()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2.0)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
    return net


@pytest.mark.parametrize('flavor', ['paper', 'official'])
@pytest.mark.parametrize(('backbone', 'size'), [
    ('resnet18', (64, 128)), ('resnet18', (97, 161)), ('resnet34', (128, 64)), ('resnet50', (65, 67))])
def test_rewritten_network_gives_the_same_logits(backbone: str, flavor: str, size: 'tuple[int, int]') -> None:
    net = network(backbone, flavor)
    images = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = net(images)
    for commute_head in (True, False):
        logits = InferenceFANet(net, commute_head=commute_head)(images)
        assert (logits - expected).abs().max() / expected.abs().max() < 1e-10


class PyTorchPasses:
    """FusedPasses as their docstrings say."""

    def __init__(self) -> None:
        self.calls: set[str] = set()

    def epilogue(self, values: torch.Tensor, bias: torch.Tensor, slope: float, other: Optional[torch.Tensor]) -> torch.Tensor:
        self.calls.add(f'epilogue {slope}')
        return F.leaky_relu(values + bias[:, None, None] + (0.0 if other is None else other), slope)

    def pooled(self, values: torch.Tensor, bias: torch.Tensor, slope: float) -> torch.Tensor:
        self.calls.add('pooled')
        return F.leaky_relu(F.max_pool2d(values, 3, 2, 1) + bias[:, None, None], slope)

    def projected(self, values: torch.Tensor, bias: torch.Tensor, slope: float, key_scale: float) -> torch.Tensor:
        self.calls.add('projected')
        query, key, value = (values + bias[:, None, None]).split([32, 32, len(bias) - 64], dim=1)
        parts = [F.normalize(query, dim=1), key_scale * F.normalize(key, dim=1), F.leaky_relu(value, slope)]
        return torch.cat(parts, dim=1).flatten(2).transpose(1, 2)

    def fused(self, out: torch.Tensor, bias: torch.Tensor, slope: float, feature: torch.Tensor,
              coarser: Optional[torch.Tensor]) -> torch.Tensor:
        self.calls.add('fused')
        result = feature + F.leaky_relu(out + bias, slope).transpose(1, 2).view(feature.shape)
        return result if coarser is None else result + self._up(coarser, feature)

    def joined(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        self.calls.add('joined')
        return torch.cat([self._up(coarse, fine), fine], dim=1)

    @staticmethod
    def _up(coarse: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return F.interpolate(coarse, like.shape[-2:], mode='bilinear', align_corners=True)


@pytest.mark.parametrize('flavor', ['paper', 'official'])
@pytest.mark.parametrize('backbone', ['resnet18', 'resnet50'])
def test_fused_passes_give_the_same_logits(backbone: str, flavor: str) -> None:
    net, passes = network(backbone, flavor), PyTorchPasses()
    images = torch.randn(2, 3, 97, 128, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = net(images)
    for commute_head in (True, False):
        logits = InferenceFANet(net, commute_head=commute_head, passes=passes)(images)
        assert (logits - expected).abs().max() / expected.abs().max() < 1e-10
    assert passes.calls == {'epilogue 0.0', 'epilogue 0.01', 'epilogue 1.0', 'pooled', 'projected', 'fused', 'joined'}


@pytest.mark.parametrize('passes', [None, PyTorchPasses()])
def test_rewritten_video_network_gives_the_same_logits(passes: Optional[PyTorchPasses]) -> None:
    net = network('resnet18', 'paper')
    images = torch.randn(3, 1, 3, 64, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    fast = InferenceFANet(net, passes=passes)
    past = [net.forward_video(image)[1] for image in images[:2]]
    fast_past = tuple(fast.forward_video(image)[1] for image in images[:2])
    expected, (logits, context) = net.forward_video(images[2], past), fast.forward_video(images[2], fast_past)
    torch.testing.assert_close(logits, expected[0], rtol=0, atol=1e-10 * float(expected[0].abs().max()))
    for ours, theirs in zip(context, expected[1]):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float16, 0.02), (torch.bfloat16, 0.1)])
def test_keys_may_be_zero_or_large_in_half_precision(dtype: torch.dtype, tolerance: float) -> None:
    level = network('resnet18', 'paper').float().fam_4
    feature = torch.randn(1, 64, 4, 6, generator=torch.Generator().manual_seed(1))
    for factor in (0.0, 1000.0):
        for part in (level.w_qs, level.w_ks):
            part.bn.weight.fill_(factor)
            part.bn.bias.zero_()
        expected, _ = level(feature)
        found, _ = Attention(level, has_up=False).to(dtype)(feature.to(dtype), None, ())
        assert float((found.float() - expected).abs().max()) < tolerance * float(expected.abs().max())


def test_rewriting_does_not_change_the_original() -> None:
    net = network('resnet18', 'paper')
    before = {name: value.clone() for name, value in net.state_dict().items()}
    InferenceFANet(net)(torch.zeros(1, 3, 64, 64, dtype=torch.float64))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_folded_batch_norm() -> None:
    conv, norm = nn.Conv2d(3, 5, 3, stride=2, padding=1).double(), nn.BatchNorm2d(5).double().eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    images = torch.randn(2, 3, 9, 8, dtype=torch.float64)
    torch.testing.assert_close(fold_batch_norm(conv, norm)(images), norm(conv(images)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(('low', 'high'), [(3, 9), (4, 4), (1, 5), (7, 13)])
def test_interpolation_then_taps_is_one_matrix(low: int, high: int) -> None:
    signal, taps = torch.randn(1, 1, low, dtype=torch.float64), torch.randn(1, 1, 3, dtype=torch.float64)
    expected = F.conv1d(F.interpolate(signal, size=high, mode='linear', align_corners=True), taps, padding=1)[0, 0]
    weighted = (taps[0, 0, :, None] * signal[0]).flatten()         # each tap times the low-resolution signal
    torch.testing.assert_close(shifted_interpolation(low, high) @ weighted, expected, rtol=1e-12, atol=1e-12)
