# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmentation head for inference: as in the network, or with its 3x3 convolution at the resolution of its coarser input."""
from __future__ import annotations

import copy
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.model.backbone import LEAKY_SLOPE
from fanet_ros.model.folded_conv import FoldedConv, bias_of, constant
from fanet_ros.model.fused_passes import FusedPasses


class PlainHead(nn.Module):
    """The head as in the original network."""

    def __init__(self, conv: nn.Conv2d, conv_out: nn.Conv2d, passes: Optional[FusedPasses]) -> None:
        super().__init__()
        self.conv, self.conv_out, self._passes = FoldedConv(conv, LEAKY_SLOPE, passes), copy.deepcopy(conv_out), passes

    def forward(self, smooth_16: Tensor, smooth_4: Tensor) -> Tensor:
        if self._passes is not None:
            return self.conv_out(self.conv(self._passes.joined(smooth_16, smooth_4)))
        smooth_16 = F.interpolate(smooth_16, smooth_4.shape[-2:], mode='bilinear', align_corners=True)
        return self.conv_out(self.conv(torch.cat([smooth_16, smooth_4], dim=1)))


class CommutedHead(nn.Module):
    """The head with rewrite 4 of InferenceFANet."""

    def __init__(self, conv: nn.Conv2d, conv_out: nn.Conv2d, passes: Optional[FusedPasses]) -> None:
        super().__init__()
        coarse_channels = conv.in_channels // 2
        channels = conv.out_channels
        fine = nn.Conv2d(conv.in_channels - coarse_channels, channels, 3, padding=1).to(conv.weight)
        fine.weight, fine.bias = constant(conv.weight[:, coarse_channels:]), constant(bias_of(conv))
        self.fine = FoldedConv(fine, LEAKY_SLOPE, passes)
        # (row tap, column tap, out) x in: the nine 1x1 convolutions as one.
        taps = conv.weight[:, :coarse_channels].permute(2, 3, 0, 1).reshape(9 * channels, coarse_channels, 1, 1)
        self.taps = nn.Conv2d(coarse_channels, 9 * channels, 1, bias=False).to(conv.weight)
        self.taps.weight = constant(taps)
        self.conv_out = copy.deepcopy(conv_out)
        self._matrices: dict[tuple[int, int, torch.device, torch.dtype], Tensor] = {}

    def forward(self, smooth_16: Tensor, smooth_4: Tensor) -> Tensor:
        number, _, low_height, low_width = smooth_16.shape
        height, width = smooth_4.shape[-2:]
        channels = self.fine.conv.out_channels
        taps = self.taps(smooth_16).view(number, 3, 3, channels, low_height, low_width)
        # (N, row tap, out, h, column tap, w): one product sums the columns of all three taps.
        columns = taps.permute(0, 1, 3, 4, 2, 5).reshape(number, 3, channels, low_height, 3 * low_width)
        columns = columns @ self._matrix(low_width, width, smooth_16).t()                       # (N, 3, out, h, W)
        rows = columns.permute(0, 2, 1, 3, 4).reshape(number, channels, 3 * low_height, width)
        coarse = self._matrix(low_height, height, smooth_16) @ rows                             # (N, out, H, W)
        return self.conv_out(self.fine(smooth_4, coarse))

    def _matrix(self, low: int, high: int, like: Tensor) -> Tensor:
        key = (int(low), int(high), like.device, like.dtype)
        if key not in self._matrices:
            self._matrices[key] = shifted_interpolation(*key[:2]).to(like)
        return self._matrices[key]


def shifted_interpolation(low: int, high: int) -> Tensor:
    """(high, 3 low) float64: bilinear interpolation from `low` to `high` samples with align_corners, once for each of the taps
    -1, 0, 1 of a convolution: block t holds the interpolation shifted by t, with zeros where the tap leaves the image.
    """
    plain = F.interpolate(torch.eye(low, dtype=torch.float64)[None], size=high, mode='linear', align_corners=True)[0].t()
    padded = F.pad(plain, (0, 0, 1, 1))                                                         # (high + 2, low)
    return torch.cat([padded[tap:tap + high] for tap in range(3)], dim=1)
