"""Upsampling, argmax and confidence in one pass on the GPU: the C x H x W array is never written. Needs triton."""
from __future__ import annotations

from typing import Optional

import torch
import triton
import triton.language as tl
from torch import Tensor

COLUMNS = 256       # of a row that one program labels


@triton.jit
def _label_row(logits, labels, confidences, num_classes, low_height, low_width, width, step_y, step_x,
               class_stride, row_stride, column_stride, WITH_CONFIDENCE: tl.constexpr, COLUMNS: tl.constexpr):
    """Bilinear with align_corners between four logits of each class; argmax and the sum of softmax as the classes go by."""
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
    for number in range(num_classes):
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


def labels_and_confidence(logits: Tensor, size: tuple[int, int], with_confidence: bool) -> tuple[Tensor, Optional[Tensor]]:
    """Labels and, if asked for, the probability of each pixel's class times 255; both (H, W) uint8 at `size`.

    :param logits: (1, C, h, w), any floating type, on the GPU
    """
    (height, width), (num_classes, low_height, low_width) = size, logits.shape[1:]
    labels = torch.empty(size, dtype=torch.uint8, device=logits.device)
    confidences = torch.empty_like(labels) if with_confidence else None
    _label_row[height, triton.cdiv(width, COLUMNS)](
        logits, labels, labels if confidences is None else confidences, num_classes, low_height, low_width, width,
        (low_height - 1) / max(height - 1, 1), (low_width - 1) / max(width - 1, 1), *logits.stride()[1:],
        WITH_CONFIDENCE=with_confidence, COLUMNS=COLUMNS)
    return labels, confidences
