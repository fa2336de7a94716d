# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint's tensors lie on disk: convolutions in half precision, or in 8 bits with a scale for each output channel."""
from __future__ import annotations

from typing import Mapping

import torch
from torch import Tensor

SCALE_SUFFIX = '.scale'
LARGEST = 127           # symmetric: -128 is not used


def to_stored(state: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Convolutions, (Cout, Cin, h, w), as `dtype`; everything else, BatchNorm above all, as it is.

    With torch.int8 the weights of each output channel are rounded to multiples of 1/127 of the largest of them, which is
    kept in `NAME.scale`, (Cout,) float32.
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
    """The tensors by their own names, floating ones in float32.

    :raises ValueError: a tensor in 8 bits has no scale, or not one for each output channel
    """
    state = {}
    for name, tensor in stored.items():
        if tensor.dtype == torch.int8:
            scale = stored.get(name + SCALE_SUFFIX)
            if scale is None or scale.shape != tensor.shape[:1]:
                found = 'none' if scale is None else str(list(scale.shape))
                raise ValueError(f'{name} is in 8 bits: expected {name}{SCALE_SUFFIX} of {list(tensor.shape[:1])}, got {found}')
            state[name] = tensor.float() * scale.float().view(-1, *[1] * (tensor.dim() - 1))
        elif not (name.endswith(SCALE_SUFFIX) and name[:-len(SCALE_SUFFIX)] in stored):
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state
