# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How Triton kernels divide channels-last tensors: each program gets some pixels and some of their channels.

The index of a pixel is divided into image, row and column once, not once per channel.
"""
from __future__ import annotations

import torch
from torch import Tensor

PIXELS, CHANNELS = 32, 64       # per program


def blocks(out: Tensor) -> tuple[int, int]:
    """The grid of programs for `out` (N, C, H, W)."""
    channels = out.shape[1]
    return -(-out.numel() // (channels * PIXELS)), -(-channels // CHANNELS)


def channels_last(tensor: Tensor) -> Tensor:
    """`tensor`, (N, C, H, W), or a copy of it with that layout."""
    return tensor.contiguous(memory_format=torch.channels_last)
