# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fast attention and the head between their convolutions and products, in one pass each on the GPU. Needs triton.

In PyTorch, one attention level takes over twenty kernels for the norms of queries and keys, biases, activations, interpolation
and sums, some of them with the layout of one operand different from the other's.
"""
from __future__ import annotations

from typing import Optional, Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from fanet_ros.inference.gpu import on_device_of
from fanet_ros.inference.triton_blocks import CHANNELS, PIXELS, blocks, channels_last
from fanet_ros.model.attention import QUERY_CHANNELS

ROWS = 16               # positions per program of _projected
SMALLEST_NORM = 1e-12   # as in F.normalize


@triton.jit(do_not_specialize=['count'])
def _projected(  # type: ignore[no-untyped-def]  # Triton infers the types
               values, bias, slope, key_scale, count, smallest, WIDTH: tl.constexpr, QUERY: tl.constexpr, ROWS: tl.constexpr,
               CHANNELS: tl.constexpr):
    """`values` is (count, WIDTH) in memory: QUERY channels of queries, as many of keys, then values."""
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    known = (row < count)[:, None]
    start = values + row[:, None] * WIDTH
    column = tl.arange(0, QUERY)[None, :]
    for part in tl.static_range(2):
        place = part * QUERY + column
        value = tl.load(start + place, mask=known, other=0.0).to(tl.float32) + tl.load(bias + place).to(tl.float32)
        norm = tl.sqrt(tl.sum(value * value, axis=1))[:, None]
        value = value / tl.maximum(norm, smallest)
        if part == 1:
            value = value * key_scale
        tl.store(start + place, value.to(values.dtype.element_ty), mask=known)
    for first in range(2 * QUERY, WIDTH, CHANNELS):
        place_v = first + tl.arange(0, CHANNELS)[None, :]
        inside = known & (place_v < WIDTH)
        given = tl.load(start + place_v, mask=inside, other=0.0).to(tl.float32)
        given += tl.load(bias + place_v, mask=place_v < WIDTH, other=0.0).to(tl.float32)
        given = tl.where(given < 0, given * slope, given)
        tl.store(start + place_v, given.to(values.dtype.element_ty), mask=inside)


def projected(values: Tensor, bias: Tensor, slope: float, key_scale: float) -> Tensor:
    """See FusedPasses. The convolution may have rounded queries to zero in half precision: these stay zero."""
    values = channels_last(values)
    number, channels, height, width = values.shape
    count = number * height * width
    with on_device_of(values):
        _projected[triton.cdiv(count, ROWS),](
            values, bias, float(slope), float(key_scale), count, SMALLEST_NORM, WIDTH=channels, QUERY=QUERY_CHANNELS, ROWS=ROWS,
            CHANNELS=CHANNELS)
    return values.permute(0, 2, 3, 1).reshape(number, height * width, channels)


@triton.jit
def _up(coarse, image, row, column, channel, inside, scale_y, scale_x, height, width, WIDTH: tl.constexpr):  # type: ignore[no-untyped-def]
    """Bilinear interpolation with aligned corners from `coarse`, which is channels-last in memory, for (pixels, channels)."""
    y, x = row * scale_y, column * scale_x
    top, left = y.to(tl.int32), x.to(tl.int32)
    down, right = (y - top)[:, None], (x - left)[:, None]
    bottom, end = tl.minimum(top + 1, height - 1), tl.minimum(left + 1, width - 1)
    upper, lower = (image * height + top) * width, (image * height + bottom) * width
    start = coarse + channel[None, :]
    a = tl.load(start + (upper + left)[:, None] * WIDTH, mask=inside, other=0.0).to(tl.float32)
    b = tl.load(start + (upper + end)[:, None] * WIDTH, mask=inside, other=0.0).to(tl.float32)
    c = tl.load(start + (lower + left)[:, None] * WIDTH, mask=inside, other=0.0).to(tl.float32)
    d = tl.load(start + (lower + end)[:, None] * WIDTH, mask=inside, other=0.0).to(tl.float32)
    return (1 - down) * ((1 - right) * a + right * b) + down * ((1 - right) * c + right * d)


@triton.jit(do_not_specialize=['height', 'width', 'coarse_height', 'coarse_width', 'count'])
def _fused(  # type: ignore[no-untyped-def]  # Triton infers the types
           out, bias, slope, feature, coarse, scale_y, scale_x, height, width, coarse_height, coarse_width, count,
           WITH_COARSE: tl.constexpr, WIDTH: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr):
    """All tensors are channels-last in memory; `count` is the number of pixels of `out`, WIDTH that of channels."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    inside = (pixel < count)[:, None] & (channel < WIDTH)[None, :]
    place = pixel[:, None] * WIDTH + channel[None, :]
    value = tl.load(out + place, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(bias + channel, mask=channel < WIDTH, other=0.0).to(tl.float32)[None, :]
    value = tl.where(value < 0, value * slope, value)
    value += tl.load(feature + place, mask=inside, other=0.0).to(tl.float32)
    if WITH_COARSE:
        column, row = pixel % width, pixel // width % height
        value += _up(coarse, pixel // (width * height), row, column, channel, inside, scale_y, scale_x, coarse_height,
                     coarse_width, WIDTH)
    tl.store(out + place, value.to(out.dtype.element_ty), mask=inside)


def fused(out: Tensor, bias: Tensor, slope: float, feature: Tensor, coarser: Optional[Tensor]) -> Tensor:
    """See FusedPasses."""
    number, channels, height, width = feature.shape
    out = out.contiguous().view(number, height, width, channels).permute(0, 3, 1, 2)
    feature = channels_last(feature)
    coarse = feature if coarser is None else channels_last(coarser)
    low = coarse.shape[2:]
    with on_device_of(out):
        _fused[blocks(out)](
            out, bias, float(slope), feature, coarse, *_scales(low, (height, width)), height, width, *low, out.numel() // channels,
            WITH_COARSE=coarser is not None, WIDTH=channels, PIXELS=PIXELS, CHANNELS=CHANNELS)
    return out


@triton.jit(do_not_specialize=['height', 'width', 'coarse_height', 'coarse_width', 'count'])
def _joined(  # type: ignore[no-untyped-def]  # Triton infers the types
            out, coarse, fine, scale_y, scale_x, height, width, coarse_height, coarse_width, count, COARSE: tl.constexpr,
            FINE: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr):
    """All tensors are channels-last in memory; `count` is the number of pixels of `out`, COARSE and FINE of channels."""
    pixel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    known = (pixel < count)[:, None]
    column, row = pixel % width, pixel // width % height
    value = _up(coarse, pixel // (width * height), row, column, channel, known & (channel < COARSE)[None, :], scale_y, scale_x,
                coarse_height, coarse_width, COARSE)
    place = pixel[:, None] * FINE + (channel - COARSE)[None, :]
    is_fine = known & (channel >= COARSE)[None, :] & (channel < COARSE + FINE)[None, :]
    value += tl.load(fine + place, mask=is_fine, other=0.0).to(tl.float32)      # what is not loaded is 0
    tl.store(out + pixel[:, None] * (COARSE + FINE) + channel[None, :], value.to(out.dtype.element_ty),
             mask=known & (channel < COARSE + FINE)[None, :])


def joined(coarse: Tensor, fine: Tensor) -> Tensor:
    """See FusedPasses."""
    coarse, fine = channels_last(coarse), channels_last(fine)
    low, size = coarse.shape[2:], fine.shape[2:]
    out = torch.empty((fine.shape[0], coarse.shape[1] + fine.shape[1], *size), dtype=fine.dtype, device=fine.device,
                      memory_format=torch.channels_last)
    with on_device_of(out):
        _joined[blocks(out)](
            out, coarse, fine, *_scales(low, size), *size, *low, out.numel() // out.shape[1], COARSE=coarse.shape[1],
            FINE=fine.shape[1], PIXELS=PIXELS, CHANNELS=CHANNELS)
    return out


def _scales(low: Sequence[int], size: Sequence[int]) -> tuple[float, float]:
    """Source pixels per pixel, vertically and horizontally, with aligned corners."""
    scale_y, scale_x = ((small - 1) / (large - 1) if large > 1 else 0.0 for small, large in zip(low, size))
    return scale_y, scale_x
