# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fast attention for inference, with less arithmetic: rewrites 2 and 3 of InferenceFANet."""
from __future__ import annotations

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.model.attention import QUERY_CHANNELS, FastAttentionModule
from fanet_ros.model.backbone import LEAKY_SLOPE
from fanet_ros.model.folded_conv import FoldedConv, bias_of, constant, convolved, fold
from fanet_ros.model.fused_passes import FusedPasses


class Attention(nn.Module):
    """One attention level, rewrites 2 and 3."""

    lateral_weight: Tensor
    lateral_bias: Tensor

    def __init__(self, level: FastAttentionModule, *, has_up: bool, passes: Optional[FusedPasses] = None) -> None:
        super().__init__()
        query, key, value = (fold(part) for part in (level.w_qs, level.w_ks, level.w_vs))
        qkv = nn.Conv2d(query.in_channels, 2 * QUERY_CHANNELS + value.out_channels, 1).to(query.weight)
        qkv.weight = constant(torch.cat([part.weight for part in (query, key, value)]))
        qkv.bias = constant(torch.cat([bias_of(part) for part in (query, key, value)]))
        self.qkv = FoldedConv(qkv, 1.0, passes)
        lateral = fold(level.latlayer3)
        self.register_buffer('lateral_weight', lateral.weight.detach().flatten(1).clone())       # (C, C)
        self.register_buffer('lateral_bias', bias_of(lateral).detach().clone())                        # (C,)
        self.up = FoldedConv(fold(level.up), LEAKY_SLOPE, passes) if has_up else None
        self.reference_positions = level.reference_positions

    def forward(self, feature: Tensor, coarser: Optional[Tensor], past: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Same as FastAttentionModule.forward(); `coarser` is what to_finer() of the coarser level gave."""
        size, side = feature.shape[-2:], self._side(feature)
        query, key, value = self.qkv(feature).flatten(2).split(
            [QUERY_CHANNELS, QUERY_CHANNELS, self.lateral_weight.shape[0]], dim=1)
        key = key * (_inverse_norm(key) * side)
        context = (_leaky(value) @ key.transpose(1, 2)) * side                                  # (N, C, 32)
        out = (self.lateral_weight @ _mean(context, past)) @ (query * _inverse_norm(query))     # (N, C, n)
        # `feature` comes first: a sum has the memory layout of its first term, channels last, which convolutions prefer.
        fused = feature + _leaky(out + self.lateral_bias[:, None]).view(feature.shape)
        if coarser is not None:
            fused = fused + F.interpolate(coarser, size, mode='bilinear', align_corners=True)
        return fused, context

    def _side(self, feature: Tensor) -> float:
        """Square root of the scale of the sum over positions: each of its two factors gets one, so that neither leaves the range
        of half precision.
        """
        if self.reference_positions is None:
            return 1.0
        scale: float = self.reference_positions / (feature.shape[-2] * feature.shape[-1])
        return scale ** 0.5

    def to_finer(self, fused: Tensor) -> Tensor:
        """Features that the next finer level adds: (N, C, h, w) -> (N, C/2, h, w)."""
        assert self.up is not None      # all levels but the finest have it
        return self.up(fused)


class FusedAttention(Attention):
    """The same in fewer passes over memory. Positions come before channels, as in what channels-last convolutions give."""

    def __init__(self, level: FastAttentionModule, *, has_up: bool, passes: FusedPasses) -> None:
        super().__init__(level, has_up=has_up, passes=passes)
        self._passes = passes

    def forward(self, feature: Tensor, coarser: Optional[Tensor], past: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        side, conv = self._side(feature), self.qkv.conv
        projected = self._passes.projected(convolved(conv, feature), bias_of(conv), LEAKY_SLOPE, side)
        query, key, value = projected.split([QUERY_CHANNELS, QUERY_CHANNELS, self.lateral_weight.shape[0]], dim=2)
        context = (value.transpose(1, 2) @ key) * side                                          # (N, C, 32)
        out = query @ (self.lateral_weight @ _mean(context, past)).transpose(1, 2)              # (N, n, C)
        return self._passes.fused(out, self.lateral_bias, LEAKY_SLOPE, feature, coarser), context


def _mean(context: Tensor, past: tuple[Tensor, ...]) -> Tensor:
    """Mean of the contexts of this frame and those before it."""
    return (context + sum(past)) / (1 + len(past)) if past else context


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAKY_SLOPE)


def _inverse_norm(x: Tensor) -> Tensor:
    """1 / L2 norm over channels, (N, c, n) -> (N, 1, n), guarded as in F.normalize."""
    if x.dtype in (torch.float16, torch.bfloat16):      # the squares may leave its range, and so would 1 / 1e-12
        norm = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.float32)
        return (1.0 / torch.clamp(norm, min=torch.finfo(torch.float16).tiny)).to(x.dtype)
    return 1.0 / torch.clamp(x.pow(2).sum(1, keepdim=True).sqrt(), min=1e-12)
