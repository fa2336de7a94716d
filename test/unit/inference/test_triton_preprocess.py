# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Triton kernel for the network's input; without a GPU in Triton's interpreter, if triton is installed."""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from camera_images import random_image
from triton_compiling import compile_elsewhere

if not torch.cuda.is_available():
    os.environ['TRITON_INTERPRET'] = '1'        # read when triton is imported
pytest.importorskip('triton', reason='triton is not installed')
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.resampling import resampled, taps
from fanet_ros.inference.triton_preprocess import one_pass

pytestmark = pytest.mark.gpu
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
# The interpreter of Triton 3.6 converts loop bounds by int() of an array, which NumPy rejects since 2.4.
can_interpret = pytest.mark.skipif(DEVICE.type == 'cpu' and np.lib.NumpyVersion(np.__version__) >= '2.4.0',
                                   reason="loops in Triton's interpreter fail with NumPy 2.4")
MEAN, SCALE = (120.0, 110.0, 100.0), (0.02, 0.015, 0.025)


@can_interpret
@pytest.mark.parametrize(('encoding', 'source', 'target'), [
    *((name, (6, 8), (3, 5)) for name in ('bgr8', 'rgba8', 'mono8', 'uyvy', 'nv12', 'i420', 'nv24', 'bayer_rggb8', 'bayer_gbrg8')),
    ('nv12', (6, 8), (8, 13)), ('bayer_bggr8', (6, 6), (9, 2)), ('yuyv', (6, 8), (6, 8))])
def test_it_gives_what_pytorch_gives(encoding: str, source: tuple[int, int], target: tuple[int, int]) -> None:
    image = random_image(encoding, *source, padding=4)
    sent = Preprocessor((0.5,) * 3, (0.5,) * 3, DEVICE).upload(image)
    steps = taps(source, target, DEVICE)
    found = one_pass(sent, *steps, MEAN, SCALE)
    assert found.shape == (*target, 3) and found.dtype == torch.float32
    by_pytorch = resampled(torch.from_numpy(image.rgb).to(DEVICE), *steps)[0].permute(1, 2, 0)
    expected = (by_pytorch - torch.tensor(MEAN, device=DEVICE)) * torch.tensor(SCALE, device=DEVICE)
    assert float((found - expected).abs().max()) < 1e-4


@can_interpret
def test_a_row_of_several_programs_comes_out_whole_and_as_bytes() -> None:
    image = random_image('yuyv', 2, 300)
    sent = Preprocessor((0.5,) * 3, (0.5,) * 3, DEVICE).upload(image)
    found = one_pass(sent, *taps((2, 300), (2, 300), DEVICE), (0.0,) * 3, (1.0,) * 3, torch.uint8)
    assert np.array_equal(found.cpu().numpy(), image.rgb)


COMPILE = '''
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from fanet_ros.inference.triton_preprocess import _input_row
pointers = {'source': '*u8', 'first_y': '*i32', 'first_x': '*i32', 'weights_y': '*fp32', 'weights_x': '*fp32'}
numbers = {'Y': 1220542, 'UB': 2116026, 'UG': -409993, 'VG': -852492, 'VR': 1673527, 'SHIFT': 20, 'COLUMNS': 256}
for kind, output in (('rgb', '*fp32'), ('yuv', '*fp32'), ('bayer', '*fp32'), ('yuv', '*u8')):
    signature = {name: 'constexpr' if name.isupper() else 'fp32' if name.startswith(('mean', 'scale'))
                 else pointers.get(name, 'i32') for name in _input_row.arg_names}
    source = ASTSource(_input_row, {**signature, 'output': output}, constexprs={**numbers, 'KIND': kind})
    assert compile(source, target=GPUTarget('cuda', 90, 32)).asm['cubin']
'''


@pytest.mark.skipif(torch.cuda.is_available(), reason='the other tests compile them here')
def test_it_compiles_for_an_h100(tmp_path: Path) -> None:
    compile_elsewhere(COMPILE, tmp_path)
