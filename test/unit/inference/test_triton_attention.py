# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Triton kernels for attention and head; without a GPU in Triton's interpreter, if triton is installed."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

import pytest
import torch
import torch.nn.functional as F
from triton_compiling import compile_elsewhere

if not torch.cuda.is_available():
    os.environ['TRITON_INTERPRET'] = '1'        # read when triton is imported
pytest.importorskip('triton', reason='triton is not installed')
from fanet_ros.inference.triton_attention import fused, joined, projected
from fanet_ros.inference.triton_passes import TritonPasses
from fanet_ros.model import FANet
from fanet_ros.model.rewrites import InferenceFANet

pytestmark = pytest.mark.gpu
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def random(*shape: int, channels_last: bool = True) -> torch.Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))).to(DEVICE)
    return values.contiguous(memory_format=torch.channels_last) if channels_last and len(shape) == 4 else values


def up(coarse: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(coarse, size, mode='bilinear', align_corners=True)


@pytest.mark.parametrize(('channels', 'height', 'width'), [(64, 3, 7), (128, 1, 1), (512, 4, 5), (96, 2, 9)])
def test_queries_keys_and_values(channels: int, height: int, width: int) -> None:
    values, bias = random(2, 64 + channels, height, width), torch.linspace(-1, 1, 64 + channels, device=DEVICE)
    query, key, value = (values + bias[:, None, None]).split([32, 32, channels], dim=1)
    expected = torch.cat([F.normalize(query, dim=1), 0.3 * F.normalize(key, dim=1), F.leaky_relu(value, 0.01)], dim=1)
    torch.testing.assert_close(projected(values, bias, 0.01, 0.3), expected.flatten(2).transpose(1, 2))


def test_queries_of_zero_stay_zero() -> None:
    found = projected(torch.zeros(1, 128, 2, 3, device=DEVICE), torch.zeros(128, device=DEVICE), 0.01, 1.0)
    assert torch.equal(found, torch.zeros(1, 6, 128, device=DEVICE))


@pytest.mark.parametrize('channels', [64, 40, 128])
@pytest.mark.parametrize(('size', 'low'), [((6, 10), (3, 5)), ((7, 9), (4, 5)), ((1, 3), (1, 2)), ((4, 4), (4, 4)), ((2, 3), None)])
def test_attended_features_are_added(channels: int, size: tuple[int, int], low: Optional[tuple[int, int]]) -> None:
    out, bias = random(2, size[0] * size[1], channels), torch.linspace(-1, 1, channels, device=DEVICE)
    feature = random(2, channels, *size)
    coarser = None if low is None else random(2, channels, *low)
    expected = feature + F.leaky_relu(out + bias, 0.01).transpose(1, 2).reshape(feature.shape)
    if coarser is not None:
        expected = expected + up(coarser, size)
    found = fused(out, bias, 0.01, feature, coarser)
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('channels_last', [True, False])
@pytest.mark.parametrize(('coarse_channels', 'channels'), [(128, 128), (70, 30)])
def test_both_inputs_of_the_head(coarse_channels: int, channels: int, channels_last: bool) -> None:
    coarse = random(2, coarse_channels, 2, 5, channels_last=channels_last)
    fine = random(2, channels, 5, 11, channels_last=channels_last)
    torch.testing.assert_close(joined(coarse, fine), torch.cat([up(coarse, (5, 11)), fine], dim=1))


@pytest.mark.parametrize(('commute_head', 'dtype', 'tolerance'), [
    (True, torch.float32, 1e-3), (False, torch.float32, 1e-3), (False, torch.float16, 0.05), (False, torch.bfloat16, 0.2)])
def test_a_whole_network_has_the_same_logits(commute_head: bool, dtype: torch.dtype, tolerance: float,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)      # its error is as large as the tolerance
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = FANet(5).eval().to(DEVICE)
    images = random(1, 3, 65, 96)
    with torch.no_grad():
        expected = network(images)
        rewritten = InferenceFANet(network, passes=TritonPasses(), commute_head=commute_head).to(dtype)
        found = rewritten(images.to(dtype)).float()
    assert float((found - expected).abs().max() / expected.abs().max()) < tolerance


COMPILE = '''
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from fanet_ros.inference.triton_attention import _fused, _joined, _projected
FLOATS, TENSORS = ('slope', 'key_scale', 'smallest', 'scale_y', 'scale_x'), ('values', 'bias', 'out', 'feature', 'coarse', 'fine')
for kernel, constants in ((_projected, {'WIDTH': 128, 'QUERY': 32, 'ROWS': 16, 'CHANNELS': 64}),
                          (_projected, {'WIDTH': 576, 'QUERY': 32, 'ROWS': 16, 'CHANNELS': 64}),
                          (_fused, {'WITH_COARSE': True, 'WIDTH': 64, 'PIXELS': 32, 'CHANNELS': 64}),
                          (_fused, {'WITH_COARSE': False, 'WIDTH': 64, 'PIXELS': 32, 'CHANNELS': 64}),
                          (_joined, {'COARSE': 128, 'FINE': 128, 'PIXELS': 32, 'CHANNELS': 64})):
    for kind in ('*fp16', '*bf16', '*fp32'):
        signature = {name: 'constexpr' if name.isupper() else kind if name in TENSORS else 'fp32' if name in FLOATS else 'i32'
                     for name in kernel.arg_names}
        source = ASTSource(kernel, signature, constexprs=constants)
        assert compile(source, target=GPUTarget('cuda', 90, 32)).asm['cubin']
'''


@pytest.mark.skipif(torch.cuda.is_available(), reason='the other tests compile them here')
def test_they_compile_for_an_h100(tmp_path: Path) -> None:
    compile_elsewhere(COMPILE, tmp_path)
