# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Triton kernels for what follows a convolution; without a GPU in Triton's interpreter, if triton is installed."""
from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from triton_compiling import compile_elsewhere

if not torch.cuda.is_available():
    os.environ['TRITON_INTERPRET'] = '1'        # read when triton is imported
pytest.importorskip('triton', reason='triton is not installed')
from fanet_ros.inference.triton_epilogue import epilogue, pooled

pytestmark = pytest.mark.gpu
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def random(shape: tuple[int, ...], *, channels_last: bool = True) -> torch.Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))).to(DEVICE)
    return values.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


@pytest.mark.parametrize('slope', [0.0, 0.01, 1.0])
@pytest.mark.parametrize('other', ['none', 'alike', 'channels first'])
def test_matches_pytorch_in_place(slope: float, other: str) -> None:
    values, bias = random((2, 48, 5, 13)), torch.linspace(-1, 1, 48, device=DEVICE)
    added = None if other == 'none' else random((2, 48, 5, 13), channels_last=other == 'alike') + 1
    expected = F.leaky_relu(values + bias[:, None, None] + (0.0 if added is None else added), slope)
    found = epilogue(values, bias, slope, added)
    torch.testing.assert_close(found, expected)
    assert found is values


def test_half_precision_is_rounded_once() -> None:
    values, bias = random((1, 64, 4, 8)).half(), torch.full((64,), 1e-3, device=DEVICE).half()
    expected = F.leaky_relu(values.float() + bias.float()[:, None, None], 0.01).half()
    assert torch.equal(epilogue(values, bias, 0.01), expected)


def test_other_memory_layouts_are_left_to_pytorch() -> None:
    values, bias = random((1, 8, 4, 6), channels_last=False), torch.ones(8, device=DEVICE)
    before = values.clone()
    torch.testing.assert_close(epilogue(values, bias, 0.01, values), F.leaky_relu(2 * before + 1, 0.01))
    assert torch.equal(values, before)


@pytest.mark.parametrize(('channels', 'height', 'width'), [(64, 8, 12), (64, 7, 13), (48, 1, 2), (130, 5, 4)])
def test_pooling_matches_pytorch(channels: int, height: int, width: int) -> None:
    values, bias = random((2, channels, height, width)) - 1, torch.linspace(-1, 1, channels, device=DEVICE)
    before = values.clone()
    found = pooled(values, bias, 0.01)
    torch.testing.assert_close(found, F.leaky_relu(F.max_pool2d(values + bias[:, None, None], 3, 2, 1), 0.01))
    assert found.is_contiguous(memory_format=torch.channels_last) and torch.equal(values, before)


def test_pooling_reads_any_memory_layout() -> None:
    values, bias = random((2, 8, 6, 6), channels_last=False), torch.zeros(8, device=DEVICE)
    torch.testing.assert_close(pooled(values, bias, 1.0), F.max_pool2d(values, 3, 2, 1))


COMPILE = '''
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from fanet_ros.inference.triton_epilogue import _epilogue, _pooled
for kind in ('*fp16', '*bf16', '*fp32'):
    for with_other, alike in ((False, False), (True, True), (True, False)):
        signature = {name: 'constexpr' if name.isupper() else kind if name in ('values', 'bias', 'other')
                     else 'fp32' if name == 'slope' else 'i32' for name in _epilogue.arg_names}
        aligned = {(place,): [['tt.divisibility', 16]] for place, name in enumerate(_epilogue.arg_names)
                   if name in ('values', 'bias', 'other')}      # as PyTorch's tensors are
        source = ASTSource(_epilogue, signature, attrs=aligned, constexprs={
            'CHANNELS': 64, 'WITH_OTHER': with_other, 'ALIKE': alike, 'ELEMENTS': 1024})
        made = compile(source, target=GPUTarget('cuda', 90, 32))
        assert made.asm['cubin'] and 'st.global.v4.b32' in made.asm['ptx'], 'values are written one by one'
    signature = {name: 'constexpr' if name.isupper() else kind if name in ('values', 'bias', 'out')
                 else 'fp32' if name == 'slope' else 'i32' for name in _pooled.arg_names}
    source = ASTSource(_pooled, signature, constexprs={'WIDTH': 64, 'PIXELS': 32, 'CHANNELS': 64})
    assert compile(source, target=GPUTarget('cuda', 90, 32)).asm['cubin']
'''


@pytest.mark.skipif(torch.cuda.is_available(), reason='the other tests compile them here')
def test_they_compile_for_an_h100(tmp_path: Path) -> None:
    compile_elsewhere(COMPILE, tmp_path)
