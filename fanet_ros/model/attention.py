# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fast attention: self-attention at a cost linear in the number of pixels (Hu et al., arXiv 2007.03815, section 3.2)."""
from __future__ import annotations

from typing import Optional, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.model.backbone import LEAKY_SLOPE

QUERY_CHANNELS = 32


def attention_context(key: Tensor, value: Tensor, scale: float) -> Tensor:
    """scale * V^T K^, with K^ of unit L2 norm over its channels: all that attention keeps of a frame, whatever its size.

    :param key: (N, c', n)
    :param value: (N, C, n)
    :param scale: 1/n in the paper; 1 in the authors' code
    :returns: (N, C, c')
    """
    # The scale is split between both sides of the sum over n, so that neither factor leaves half precision's range.
    key = F.normalize(key, dim=1) * scale ** 0.5
    return (value @ key.transpose(1, 2)) * scale ** 0.5


def fast_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Y = scale * Q^ (K^T V), with Q^ and K^ of unit L2 norm over their channels at every position.

    Softmax is replaced by the cosine of the angle between query and key, so the product can be evaluated from the right: O(n c'
    C) instead of O(n^2 C).

    :param query: (N, c', n)
    :param key: (N, c', n)
    :param value: (N, C, n)
    :param scale: 1/n in the paper; 1 in the authors' code
    :returns: (N, C, n)
    """
    return attention_context(key, value, scale) @ F.normalize(query, dim=1)


class ConvBN(nn.Module):
    """Convolution without bias, BatchNorm, and LeakyReLU(0.01) unless `activation` is False."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, padding: int = 0, *,
                 activation: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.activation = nn.LeakyReLU(LEAKY_SLOPE, inplace=True) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.bn(self.conv(x)))


class FastAttentionModule(nn.Module):
    """One decoder level: attention over an encoder feature map, fused with the level below it.

    :param channels: C of the encoder's feature map
    :param has_up: make `up`, the C/2 channels handed to the next finer level
    :param has_smooth: make `smooth`, the 128 channels handed to a head
    :param up_padding: 1 in the authors' code (a ring of constants at the border), 0 in ours
    :param reference_positions: None for no scaling (authors' code); otherwise attention is multiplied by
        `reference_positions / n`: 1 is the paper's 1/n, n_train keeps an unscaled network independent of resolution
    """

    def __init__(self, channels: int, *, has_up: bool, has_smooth: bool, up_padding: int,
                 reference_positions: Optional[float]) -> None:
        super().__init__()
        self.w_qs = ConvBN(channels, QUERY_CHANNELS, activation=False)
        self.w_ks = ConvBN(channels, QUERY_CHANNELS, activation=False)
        self.w_vs = ConvBN(channels, channels)
        self.latlayer3 = ConvBN(channels, channels)
        if has_up:
            self.up = ConvBN(channels, channels // 2, padding=up_padding)
        if has_smooth:
            self.smooth = ConvBN(channels, 128, kernel=3, padding=1)
        self.reference_positions = reference_positions

    def forward(self, feature: Tensor, coarser: Optional[Tensor] = None,
                past: Sequence[Tensor] = ()) -> tuple[Tensor, Tensor]:
        """Fuse `feature` (N, C, h, w) with `coarser`, the level below's `up` output (N, C, ~h/2, ~w/2).

        :param past: contexts (N, C, 32) of earlier frames to attend to as well (section 3.4: spatial-temporal fast
            attention; with 1/n in each, their mean is normalised by the total number of positions)
        :returns: the fused features (N, C, h, w), and this frame's own context (N, C, 32)
        """
        height, width = feature.shape[-2:]
        scale = 1.0 if self.reference_positions is None else self.reference_positions / (height * width)
        context = attention_context(self.w_ks(feature).flatten(2), self.w_vs(feature).flatten(2), scale)
        attended = context if not past else (context + sum(past)) / (1 + len(past))
        query = F.normalize(self.w_qs(feature).flatten(2), dim=1)                           # (N, 32, n)
        fused = self.latlayer3((attended @ query).view(feature.shape)) + feature            # (N, C, h, w)
        if coarser is not None:
            fused = fused + F.interpolate(coarser, (height, width), mode='bilinear', align_corners=True)
        return fused, context
