# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a camera's bytes to the network's input in one pass on the GPU: colours, size and normalisation. Needs triton."""
from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from fanet_ros.inference.device_image import U_BLUE, U_GREEN, V_GREEN, V_RED, Y_GAIN, YUV_SHIFT, DeviceImage
from fanet_ros.inference.gpu import on_device_of
from fanet_ros.inference.resampling import Taps

COLUMNS = 256       # of a row, per program
# These and the layout differ for every size: the kernel is not specialised for them, else it would be compiled while a frame
# waits.
_SIZES = ['taps_y', 'taps_x', 'source_height', 'source_width', 'height', 'width']
_LAYOUT = ['first_0', 'row_0', 'column_0', 'first_1', 'row_1', 'column_1', 'first_2', 'row_2', 'column_2', 'halving_y', 'halving_x']


@triton.jit
def _byte(pointer, inside):  # type: ignore[no-untyped-def]  # Triton infers the types
    return tl.load(pointer, mask=inside, other=0).to(tl.int32)


@triton.jit
def _in_range(value):  # type: ignore[no-untyped-def]  # Triton infers the types
    return tl.minimum(tl.maximum(value, 0), 255)


@triton.jit
def _yuv(  # type: ignore[no-untyped-def]  # Triton infers the types
         y, u, v, Y: tl.constexpr, UB: tl.constexpr, UG: tl.constexpr, VG: tl.constexpr, VR: tl.constexpr,
         SHIFT: tl.constexpr):
    y = tl.maximum(y - 16, 0) * Y + (1 << (SHIFT - 1))
    u, v = u - 128, v - 128
    return _in_range((y + VR * v) >> SHIFT), _in_range((y + VG * v + UG * u) >> SHIFT), _in_range((y + UB * u) >> SHIFT)


@triton.jit
def _mosaic(  # type: ignore[no-untyped-def]  # Triton infers the types
            source, y, x, row, red_y, red_x, source_height, source_width, inside):
    """Bilinear demosaicing; border pixels repeat the nearest inner pixel."""
    y = tl.minimum(tl.maximum(y, 1), source_height - 2)
    x = tl.minimum(tl.maximum(x, 1), source_width - 2)
    here = source + y * row + x
    center = _byte(here, inside)
    horizontal = _byte(here - 1, inside) + _byte(here + 1, inside)
    vertical = _byte(here - row, inside) + _byte(here + row, inside)
    corners = (_byte(here - row - 1, inside) + _byte(here - row + 1, inside) + _byte(here + row - 1, inside)
               + _byte(here + row + 1, inside) + 2) >> 2
    cross = (horizontal + vertical + 2) >> 2
    horizontal, vertical = (horizontal + 1) >> 1, (vertical + 1) >> 1
    in_red_row, in_red_column = (y & 1) == red_y, (x & 1) == red_x
    red = tl.where(in_red_row, tl.where(in_red_column, center, horizontal), tl.where(in_red_column, vertical, corners))
    blue = tl.where(in_red_row, tl.where(in_red_column, corners, vertical), tl.where(in_red_column, horizontal, center))
    return red, tl.where(in_red_row == in_red_column, cross, center), blue


@triton.jit(do_not_specialize=_SIZES + _LAYOUT)
def _input_row(  # type: ignore[no-untyped-def]  # Triton infers the types
               source, first_y, weights_y, first_x, weights_x, output, taps_y, taps_x, source_height, source_width, height, width,
               first_0, row_0, column_0, first_1, row_1, column_1, first_2, row_2, column_2, halving_y, halving_x,
               mean_0, mean_1, mean_2, scale_0, scale_1, scale_2, KIND: tl.constexpr, Y: tl.constexpr, UB: tl.constexpr,
               UG: tl.constexpr, VG: tl.constexpr, VR: tl.constexpr, SHIFT: tl.constexpr, COLUMNS: tl.constexpr):
    """Weighted mean of the source pixels of every pixel of the row, each as 8-bit RGB; then (mean - m) * s."""
    target_row = tl.program_id(0)
    columns = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    inside = columns < width
    top = tl.load(first_y + target_row)
    left = tl.load(first_x + columns, mask=inside, other=0)
    red = tl.zeros([COLUMNS], tl.float32)
    green = tl.zeros([COLUMNS], tl.float32)
    blue = tl.zeros([COLUMNS], tl.float32)
    for step_y in range(taps_y):
        y = top + step_y
        weight_y = tl.load(weights_y + step_y * height + target_row)
        for step_x in range(taps_x):
            x = left + step_x
            weight = weight_y * tl.load(weights_x + step_x * width + columns, mask=inside, other=0.0)
            if KIND == 'bayer':
                r, g, b = _mosaic(source, y, x, row_0, halving_y, halving_x, source_height, source_width, inside)
            else:
                chroma_y, chroma_x = y >> halving_y, x >> halving_x       # only U and V have halvings
                r = _byte(source + first_0 + y * row_0 + x * column_0, inside)
                g = _byte(source + first_1 + chroma_y * row_1 + chroma_x * column_1, inside)
                b = _byte(source + first_2 + chroma_y * row_2 + chroma_x * column_2, inside)
                if KIND == 'yuv':
                    r, g, b = _yuv(r, g, b, Y, UB, UG, VG, VR, SHIFT)
            red += weight * r.to(tl.float32)
            green += weight * g.to(tl.float32)
            blue += weight * b.to(tl.float32)
    pixel = output + 3 * (target_row * width + columns)
    kind = output.dtype.element_ty
    tl.store(pixel, ((red - mean_0) * scale_0).to(kind), mask=inside)
    tl.store(pixel + 1, ((green - mean_1) * scale_1).to(kind), mask=inside)
    tl.store(pixel + 2, ((blue - mean_2) * scale_2).to(kind), mask=inside)


def one_pass(image: DeviceImage, rows: Taps, columns: Taps, mean: tuple[float, float, float], scale: tuple[float, float, float],
             dtype: torch.dtype = torch.float32) -> Tensor:
    """Resample `image`, on the GPU, and normalise it as (value - mean) * scale: (h, w, 3) of `dtype`."""
    height, width = len(rows.first), len(columns.first)
    output = torch.empty(height, width, 3, dtype=dtype, device=image.data.device)
    with on_device_of(image.data):
        _input_row[height, triton.cdiv(width, COLUMNS)](
            image.data, rows.first, rows.weights, columns.first, columns.weights, output, len(rows.weights), len(columns.weights),
            image.height, image.width, height, width, *(number for plane in image.layout.planes for number in plane),
            *image.layout.halving, *mean, *scale, KIND=image.layout.kind, Y=Y_GAIN, UB=U_BLUE, UG=U_GREEN, VG=V_GREEN, VR=V_RED,
            SHIFT=YUV_SHIFT, COLUMNS=COLUMNS)
    return output
