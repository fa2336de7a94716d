# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint's tensors are stored: convolutions in half precision, or in 8 bits with a scale per output channel."""
from __future__ import annotations

from typing import Mapping

import torch
from torch import Tensor

SCALE_SUFFIX = '.scale'
LARGEST = 127           # symmetric: -128 is not used


def to_stored(state: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Convert convolutions, (Cout, Cin, h, w), to `dtype`, and leave everything else, mainly BatchNorm, unchanged.

    With torch.int8 the weights of each output channel are rounded to multiples of 1/127 of the largest magnitude among them;
    that step is stored as `NAME.scale`, (Cout,) float32.
    """
    stored = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu()
        if tensor.dim() == 4 and dtype == torch.int8:
            scale = (tensor.float().abs().amax(dim=(1, 2, 3)) / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
            stored[name + SCALE_SUFFIX] = scale
            tensor = (tensor.float() / scale.view(-1, 1, 1, 1)).round().to(torch.int8)
        elif tensor.dim() == 4:
            tensor = tensor.to(dtype)
        stored[name] = tensor.contiguous()
    return stored


def from_stored(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors by their own names, floating-point ones in float32.

    :raises ValueError: an 8-bit tensor has no scale, or not one per output channel
    """
    state = {}
    for name, tensor in stored.items():
        if tensor.dtype == torch.int8:
            scale = stored.get(name + SCALE_SUFFIX)
            if scale is None or scale.shape != tensor.shape[:1]:
                got = 'none' if scale is None else str(list(scale.shape))
                raise ValueError(f'{name} is in 8 bits: expected {name}{SCALE_SUFFIX} of {list(tensor.shape[:1])}, got {got}')
            state[name] = tensor.float() * scale.float().view(-1, *[1] * (tensor.dim() - 1))
        elif not (name.endswith(SCALE_SUFFIX) and name[:-len(SCALE_SUFFIX)] in stored):
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state
