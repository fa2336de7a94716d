# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What follows a convolution, in one pass on the GPU: bias, sum with another tensor, leaky ReLU; after max-pooling. Needs triton.

In PyTorch, cuDNN's convolutions apply no bias in half precision and no leaky ReLU: each step would read and write the whole
tensor.
"""
from __future__ import annotations

from typing import Optional

import torch
import torch.nn.functional as F
import triton
import triton.language as tl
from torch import Tensor

from fanet_ros.inference.gpu import on_device_of
from fanet_ros.inference.triton_blocks import CHANNELS, PIXELS, blocks, channels_last

ELEMENTS = 1024         # per program of _epilogue


@triton.jit(do_not_specialize=['pixels', 'width', 'area', 'stride_n', 'stride_c', 'stride_y', 'stride_x'])
def _epilogue(  # type: ignore[no-untyped-def]  # Triton infers the types
              values, bias, other, slope, pixels, width, area, stride_n, stride_c, stride_y, stride_x, CHANNELS: tl.constexpr,
              WITH_OTHER: tl.constexpr, ALIKE: tl.constexpr, ELEMENTS: tl.constexpr):
    """`values` is channels-last in memory; `other` is alike, or has any layout given by its strides."""
    index = tl.program_id(0) * ELEMENTS + tl.arange(0, ELEMENTS)
    inside = index < pixels * CHANNELS      # a product, whose known factor lets Triton load 16 bytes at a time, not one value
    channel = index % CHANNELS
    value = tl.load(values + index, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(bias + channel, mask=inside, other=0.0).to(tl.float32)
    if WITH_OTHER:
        if ALIKE:
            place = index
        else:
            position = index // CHANNELS
            pixel = position % area
            place = (position // area) * stride_n + channel * stride_c + (pixel // width) * stride_y + (pixel % width) * stride_x
        value += tl.load(other + place, mask=inside, other=0.0).to(tl.float32)
    value = tl.where(value < 0, value * slope, value)
    tl.store(values + index, value.to(values.dtype.element_ty), mask=inside)


def epilogue(values: Tensor, bias: Tensor, slope: float, other: Optional[Tensor] = None) -> Tensor:
    """leaky_relu(values + bias + other, slope), in place if `values` is channels-last in memory, as from a convolution.

    :param values: (N, C, H, W)
    :param bias: (C,)
    :param slope: below zero; 0: ReLU, 1: no activation
    :param other: same shape as `values`, or None
    """
    if not values.is_contiguous(memory_format=torch.channels_last):
        values = values + bias[:, None, None] if other is None else values + bias[:, None, None] + other
        return F.leaky_relu(values, slope)
    number, channels, height, width = values.shape
    with on_device_of(values):
        _epilogue[triton.cdiv(values.numel(), ELEMENTS),](
            values, bias, values if other is None else other, float(slope), number * height * width, width, height * width,
            *((0, 0, 0, 0) if other is None else other.stride()), CHANNELS=channels, WITH_OTHER=other is not None,
            ALIKE=other is not None and other.stride() == values.stride(), ELEMENTS=ELEMENTS)
    return values


@triton.jit(do_not_specialize=['height', 'width', 'out_height', 'out_width', 'count'])
def _pooled(  # type: ignore[no-untyped-def]  # Triton infers the types
            values, bias, out, slope, height, width, out_height, out_width, count, WIDTH: tl.constexpr, PIXELS: tl.constexpr,
            CHANNELS: tl.constexpr):
    """`values` and `out` are channels-last in memory; `count` is the number of pixels of `out`, WIDTH that of channels."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    inside = (pixel < count)[:, None] & (channel < WIDTH)[None, :]
    column, row = pixel % out_width, pixel // out_width % out_height
    image = pixel // (out_width * out_height)
    largest = tl.full((PIXELS, CHANNELS), float('-inf'), tl.float32)
    for tap in tl.static_range(9):
        y, x = 2 * row + (tap // 3 - 1), 2 * column + (tap % 3 - 1)
        known = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        place = ((image * height + y) * width + x)[:, None] * WIDTH + channel[None, :]
        largest = tl.maximum(largest, tl.load(values + place, mask=inside & known[:, None], other=float('-inf')).to(tl.float32))
    value = largest + tl.load(bias + channel, mask=channel < WIDTH, other=0.0).to(tl.float32)[None, :]
    value = tl.where(value < 0, value * slope, value)
    tl.store(out + pixel[:, None] * WIDTH + channel[None, :], value.to(out.dtype.element_ty), mask=inside)


def pooled(values: Tensor, bias: Tensor, slope: float) -> Tensor:
    """leaky_relu(max_pool2d(values, 3, stride=2, padding=1) + bias, slope), channels last.

    :param values: (N, C, H, W)
    :param bias: (C,)
    """
    values = channels_last(values)
    number, channels, height, width = values.shape
    out = torch.empty((number, channels, -(-height // 2), -(-width // 2)), dtype=values.dtype, device=values.device,
                      memory_format=torch.channels_last)
    with on_device_of(values):
        _pooled[blocks(out)](values, bias, out, float(slope), height, width, *out.shape[2:], out.numel() // channels,
                             WIDTH=channels, PIXELS=PIXELS, CHANNELS=CHANNELS)
    return out
