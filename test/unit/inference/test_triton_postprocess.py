# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Triton kernel for labels and confidence; without a GPU in Triton's interpreter, if triton is installed."""
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from triton_compiling import compile_elsewhere

if not torch.cuda.is_available():
    os.environ['TRITON_INTERPRET'] = '1'        # read when triton is imported
pytest.importorskip('triton', reason='triton is not installed')
from fanet_ros.inference import draw_overlay
from fanet_ros.inference.triton_postprocess import one_pass

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize(('classes', 'low', 'size', 'channels_last'), [
    (11, (9, 7), (21, 300), True), (3, (1, 5), (4, 33), False), (19, (8, 16), (24, 128), False)])
def test_labels_and_confidence(classes: int, low: tuple[int, int], size: tuple[int, int], channels_last: bool) -> None:
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    logits = 3 * torch.randn(1, classes, *low, generator=torch.Generator().manual_seed(1)).to(device)
    if channels_last:
        logits = logits.contiguous(memory_format=torch.channels_last)
    full = F.interpolate(logits, size, mode='bilinear', align_corners=True)[0]
    best, expected = full.max(0)
    labels, confidences, _ = one_pass(logits, size, True)
    assert (labels != expected).float().mean() < 1e-3       # ties
    probability = 1 / torch.exp(full - best).sum(0)
    assert (confidences.float() - 255 * probability).abs().max() < 1
    only_labels, *nothing = one_pass(logits, size, False)
    assert nothing == [None, None] and torch.equal(only_labels, labels)


def test_overlay_is_that_of_the_labels_drawn_on_the_cpu() -> None:
    device, size = 'cuda' if torch.cuda.is_available() else 'cpu', (21, 300)
    generator = np.random.default_rng(2)
    frame, palette = (generator.integers(0, 256, (*shape, 3), np.uint8) for shape in (size, (256,)))
    logits = 3 * torch.randn(1, 11, 9, 7, generator=torch.Generator().manual_seed(1)).to(device)
    for alpha in (0.0, 0.4, 1.0):
        labels, confidence, overlay = one_pass(
            logits, size, False, torch.from_numpy(frame).to(device), torch.from_numpy(palette).to(device), alpha)
        assert confidence is None
        expected = draw_overlay(frame, labels.cpu().numpy(), palette, alpha)
        assert np.abs(overlay.cpu().numpy().astype(int) - expected).max() <= (1 if 0 < alpha < 1 else 0)


COMPILE = '''
import sys
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from fanet_ros.inference.triton_postprocess import _label_row
kinds = {'labels': '*u8', 'confidences': '*u8', 'frame': '*u8', 'palette': '*u8', 'overlay': '*u8', 'step_y': 'fp32',
         'step_x': 'fp32', 'alpha': 'fp32'}
for logits in ('*fp16', '*bf16', '*fp32'):
    signature = {name: 'constexpr' if name.isupper() else kinds.get(name, 'i32') for name in _label_row.arg_names}
    constants = {'NUM_CLASSES': 19, 'WITH_CONFIDENCE': True, 'WITH_OVERLAY': True, 'COLUMNS': 256}
    source = ASTSource(_label_row, {**signature, 'logits': logits}, constexprs=constants)
    assert compile(source, target=GPUTarget('cuda', 90, 32)).asm['cubin']
'''


@pytest.mark.skipif(torch.cuda.is_available(), reason='the other tests compile them here')
def test_it_compiles_for_an_h100(tmp_path: Path) -> None:
    compile_elsewhere(COMPILE, tmp_path)
