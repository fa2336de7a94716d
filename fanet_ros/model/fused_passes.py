# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a rewritten network does between its convolutions and matrix products, each step as one pass over memory."""
from __future__ import annotations

from typing import Optional, Protocol

from torch import Tensor


class FusedPasses(Protocol):
    """Implemented for a GPU by triton_passes. Arguments may be overwritten, except `other`, `feature` and `coarser`.

    Tensors (N, C, H, W) are best channels last in memory; results are. `slope` is that of a leaky ReLU below zero: 0 for ReLU,
    1 for no activation. `up` is bilinear interpolation with aligned corners.
    """

    def epilogue(self, values: Tensor, bias: Tensor, slope: float, other: Optional[Tensor]) -> Tensor:
        """leaky(values + bias + other): (N, C, H, W), (C,), and (N, C, H, W) or None."""

    def pooled(self, values: Tensor, bias: Tensor, slope: float) -> Tensor:
        """leaky(maximum + bias) over windows of 3x3 px every 2 px: (N, C, H, W), (C,) -> (N, C, ceil(H/2), ceil(W/2))."""

    def projected(self, values: Tensor, bias: Tensor, slope: float, key_scale: float) -> Tensor:
        """Query, key and value of every position from their convolution: (N, 64 + C, H, W), (64 + C,) -> (N, H W, 64 + C).

        After the bias, the first 32 channels, queries, get norm 1, the next 32, keys, get norm `key_scale`; values get leaky().
        """

    def fused(self, out: Tensor, bias: Tensor, slope: float, feature: Tensor, coarser: Optional[Tensor]) -> Tensor:
        """feature + leaky(out + bias) + up(coarser): (N, H W, C), (C,), (N, C, H, W), (N, C, h, w) or None -> (N, C, H, W)."""

    def joined(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """up(coarse) and `fine` as one tensor: (N, C, h, w), (N, D, H, W) -> (N, C + D, H, W)."""
