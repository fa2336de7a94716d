# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Upsampling, argmax, confidence and overlay in one pass on the GPU: the C x H x W array is never written. Needs triton."""
from __future__ import annotations

from typing import Optional

import torch
import triton
import triton.language as tl
from torch import Tensor

from fanet_ros.inference.gpu import on_device_of

COLUMNS = 256       # of a row, per program


# Not specialised for sizes: a new one would be compiled while a frame waits.
@triton.jit(do_not_specialize=['low_height', 'low_width', 'width', 'row_stride'])
def _label_row(  # type: ignore[no-untyped-def]  # Triton infers the types of a kernel's arguments
               logits, labels, confidences, frame, palette, overlay, low_height, low_width, width, step_y, step_x, alpha,
               class_stride, row_stride, column_stride, NUM_CLASSES: tl.constexpr, WITH_CONFIDENCE: tl.constexpr,
               WITH_OVERLAY: tl.constexpr, COLUMNS: tl.constexpr):
    """Bilinear interpolation (align_corners) of four logits per class; argmax and softmax sum are updated class by class."""
    row = tl.program_id(0)
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    y, x = row * step_y, columns * step_x
    top, left = tl.minimum(y.to(tl.int32), low_height - 1), tl.minimum(x.to(tl.int32), low_width - 1)
    bottom, right = tl.minimum(top + 1, low_height - 1), tl.minimum(left + 1, low_width - 1)
    weight_y, weight_x = y - top, x - left
    inside = columns < width
    best = tl.full([COLUMNS], float('-inf'), tl.float32)
    label = tl.zeros([COLUMNS], tl.int32)
    total = tl.zeros([COLUMNS], tl.float32)
    for number in range(NUM_CLASSES):
        upper = logits + number * class_stride + top * row_stride
        lower = logits + number * class_stride + bottom * row_stride
        upper_left = tl.load(upper + left * column_stride, mask=inside, other=0.0).to(tl.float32)
        upper_right = tl.load(upper + right * column_stride, mask=inside, other=0.0).to(tl.float32)
        lower_left = tl.load(lower + left * column_stride, mask=inside, other=0.0).to(tl.float32)
        lower_right = tl.load(lower + right * column_stride, mask=inside, other=0.0).to(tl.float32)
        above = upper_left + weight_x * (upper_right - upper_left)
        below = lower_left + weight_x * (lower_right - lower_left)
        value = above + weight_y * (below - above)
        is_better = value > best
        if WITH_CONFIDENCE:
            largest = tl.where(is_better, value, best)
            total = total * tl.exp(best - largest) + tl.exp(value - largest)
        label = tl.where(is_better, number, label)
        best = tl.where(is_better, value, best)
    tl.store(labels + row * width + columns, label.to(tl.uint8), mask=inside)
    if WITH_CONFIDENCE:
        tl.store(confidences + row * width + columns, (255.0 / total + 0.5).to(tl.uint8), mask=inside)
    if WITH_OVERLAY:
        pixel = 3 * (row * width + columns)
        for channel in tl.static_range(3):
            color = tl.load(palette + 3 * label + channel, mask=inside, other=0).to(tl.float32)
            under = tl.load(frame + pixel + channel, mask=inside, other=0).to(tl.float32)
            tl.store(overlay + pixel + channel, (under + alpha * (color - under) + 0.5).to(tl.uint8), mask=inside)


def one_pass(logits: Tensor, size: tuple[int, int], with_confidence: bool, frame: Optional[Tensor] = None,
             palette: Optional[Tensor] = None, alpha: float = 0.0) -> tuple[Tensor, Optional[Tensor], Optional[Tensor]]:
    """Same as postprocess.layer_by_layer().

    :param logits: (1, C, h, w), any floating type, on the GPU
    :param frame: contiguous
    """
    (height, width), (num_classes, low_height, low_width) = size, logits.shape[1:]
    labels = torch.empty(size, dtype=torch.uint8, device=logits.device)
    confidences = torch.empty_like(labels) if with_confidence else None
    overlay = torch.empty_like(frame) if frame is not None and palette is not None else None
    unused = labels         # placeholder pointer, never read
    with on_device_of(logits):
        _label_row[height, triton.cdiv(width, COLUMNS)](
            logits, labels, unused if confidences is None else confidences,
            *((unused, unused, unused) if overlay is None else (frame, palette, overlay)),
            low_height, low_width, width, (low_height - 1) / max(height - 1, 1), (low_width - 1) / max(width - 1, 1),
            float(alpha), *logits.stride()[1:],
            NUM_CLASSES=num_classes, WITH_CONFIDENCE=with_confidence, WITH_OVERLAY=overlay is not None, COLUMNS=COLUMNS)
    return labels, confidences, overlay
