# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint's tensors are stored: convolutions in half precision, or in 8 or 6 bits with a scale per output channel."""
from __future__ import annotations

from typing import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

SCALE_SUFFIX, SHAPE_SUFFIX = '.scale', '.shape'
PACKED_BITS = 6
PACKED_FROM = 2**18     # weights; smaller convolutions take little space, and rounding them costs more accuracy
# Tried for the scale of 6 bits: with less range for the few large weights, the many small ones are rounded less.
RANGES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)


def to_stored(state: Mapping[str, Tensor], dtype: torch.dtype, *, is_packed: bool = False) -> dict[str, Tensor]:
    """Convert convolutions, (Cout, Cin, h, w), to `dtype`, and leave everything else, mainly BatchNorm, unchanged.

    With torch.int8 the weights of each output channel are rounded to multiples of 1/127 of the largest magnitude among them;
    that step is stored as `NAME.scale`, (Cout,) float32.

    :param is_packed: with torch.int8, store large convolutions in 6 bits: as `NAME`, uint8 with 4 weights in 3 bytes, their scale
        and their `NAME.shape`
    """
    stored = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu()
        if tensor.dim() == 4 and dtype == torch.int8:
            packs = is_packed and tensor.numel() >= PACKED_FROM
            values, scale = _rounded(tensor.float().flatten(1), PACKED_BITS if packs else 8, RANGES if packs else (1.0,))
            stored[name + SCALE_SUFFIX] = scale
            if packs:
                stored[name + SHAPE_SUFFIX] = torch.tensor(tensor.shape)
            tensor = _pack(values) if packs else values.view(tensor.shape)
        elif tensor.dim() == 4:
            tensor = tensor.to(dtype)
        stored[name] = tensor.contiguous()
    return stored


def from_stored(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by their own names, floating-point ones in float32.

    :raises ValueError: an 8- or 6-bit tensor has no scale, or not one per output channel, or not as many values as its shape says
    """
    state = {}
    for name, tensor in stored.items():
        bits, shape = 8, tensor.shape
        if tensor.dtype == torch.uint8 and name + SHAPE_SUFFIX in stored:
            bits, shape = PACKED_BITS, torch.Size(stored[name + SHAPE_SUFFIX].tolist())
            if tensor.numel() != _packed_bytes(shape.numel()):
                raise ValueError(f'{name} is in {bits} bits: expected {_packed_bytes(shape.numel())} bytes for {list(shape)}, got '
                                 f'{tensor.numel()}')
            tensor = _unpack(tensor, shape.numel()).view(shape)
        if tensor.dtype == torch.int8:
            scale = stored.get(name + SCALE_SUFFIX)
            if scale is None or scale.shape != shape[:1]:
                got = 'none' if scale is None else str(list(scale.shape))
                raise ValueError(f'{name} is in {bits} bits: expected {name}{SCALE_SUFFIX} of {list(shape[:1])}, got {got}')
            state[name] = tensor.float() * scale.float().view(-1, *[1] * (tensor.dim() - 1))
        elif not any(name.endswith(suffix) and name[:-len(suffix)] in stored for suffix in (SCALE_SUFFIX, SHAPE_SUFFIX)):
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def _rounded(weights: Tensor, bits: int, ranges: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """(Cout, n) float32 -> int8 of that shape, and (Cout,) float32 by which to multiply it.

    :param ranges: shares of the largest magnitude to clip at; the one with the least squared error of each channel is used
    """
    largest = 2 ** (bits - 1) - 1       # symmetric: the smallest value is not used
    peak = weights.abs().amax(1)
    scales = torch.stack([(peak * share / largest).clamp(min=torch.finfo(torch.float32).tiny) for share in ranges])
    errors = torch.stack([(_clipped(weights, scale, largest) * scale[:, None] - weights).square().sum(1) for scale in scales])
    scale = scales.gather(0, errors.argmin(0, keepdim=True))[0]
    return _clipped(weights, scale, largest).to(torch.int8), scale


def _clipped(weights: Tensor, scale: Tensor, largest: int) -> Tensor:
    return (weights / scale[:, None]).round().clamp(-largest, largest)


def _pack(values: Tensor) -> Tensor:
    """int8 of any shape -> (n,) uint8: 4 values of 6 bits in 3 bytes, filled up with zeros."""
    numbers = (values.flatten().to(torch.int16) + 2 ** (PACKED_BITS - 1)).to(torch.uint8)
    a, b, c, d = F.pad(numbers, (0, -len(numbers) % 4)).view(-1, 4).unbind(1)
    return torch.stack([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d], 1).flatten()


def _unpack(packed: Tensor, count: int) -> Tensor:
    """The `count` values of _pack()."""
    a, b, c = packed.view(-1, 3).unbind(1)
    numbers = torch.stack([a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63], 1).flatten()[:count]
    return numbers.view(torch.int8) - 2 ** (PACKED_BITS - 1)


def _packed_bytes(count: int) -> int:
    return 3 * -(-count // 4)
