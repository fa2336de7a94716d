# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""FANet: real-time semantic segmentation with fast attention (Hu et al., arXiv 2007.03815)."""
from __future__ import annotations

from itertools import accumulate
from operator import mul
from typing import NamedTuple, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.model.attention import ConvBN, FastAttentionModule
from fanet_ros.model.backbone import BACKBONES, STRIDES, ResNet
from fanet_ros.model.limits import MIN_INPUT_PX
from fanet_ros.size_text import size_text

FLAVORS = ('paper', 'official')
BACKBONE_OF_VARIANT = {'fanet18': 'resnet18', 'fanet34': 'resnet34', 'fanet50': 'resnet50'}
VARIANT_OF_BACKBONE = {backbone: variant for variant, backbone in BACKBONE_OF_VARIANT.items()}


class FrameContext(NamedTuple):
    """All that attention keeps of a frame: one (N, C_level, 32) matrix per level, at any resolution."""

    fam_4: Tensor
    fam_8: Tensor
    fam_16: Tensor
    fam_32: Tensor


class FANetOutputs(NamedTuple):
    """Outputs of the network in training; logits are (N, C, h, w), each at its own resolution."""

    logits: Tensor      # at 1/8
    aux_32: Tensor      # from the deepest level, at 1/64 (named as in the authors' code)
    aux_16: Tensor      # from the level above it, at 1/32
    context: FrameContext


class _Levels(NamedTuple):
    """Outputs of the attention levels that the heads need."""

    fused_32: Tensor    # (N, C4, H/64, W/64)
    smooth_16: Tensor   # (N, 128, H/32, W/32)
    smooth_4: Tensor    # (N, 128, H/8, W/8)
    context: FrameContext


class Head(nn.Module):
    """3x3 convolution with BatchNorm and LeakyReLU, then a 1x1 convolution to the classes."""

    def __init__(self, in_channels: int, mid_channels: int, num_classes: int, class_bias: bool = False) -> None:
        super().__init__()
        self.conv = ConvBN(in_channels, mid_channels, kernel=3, padding=1)
        self.conv_out = nn.Conv2d(mid_channels, num_classes, 1, bias=class_bias)
        if self.conv_out.bias is not None:
            nn.init.zeros_(self.conv_out.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))


class FANet(nn.Module):
    """Encoder, four levels of fast attention from coarse to fine, and a head on two of them.

    Modules are named as in the authors' code, where `fam_4` .. `fam_32` date from a network without the additional spatial
    reduction: they work at 1/8, 1/16, 1/32 and 1/64 of the input.

    :param num_classes: C, channels of the logits
    :param backbone: 'resnet18', 'resnet34' or 'resnet50'
    :param flavor: 'paper' divides attention by the number of positions, so that the network may run at any resolution, and
        keeps the borders free of padding; 'official' reproduces the authors' code, unused layers included, so that its weights
        load unchanged
    :param reference_size: (height, width) an 'official' network was trained at; its attention is then scaled by n_train / n per
        level, which changes nothing at that size and makes others usable. None: no scaling.
    :param aux_heads: build the two auxiliary heads that training needs and inference does not
    :param strides: of the encoder's four layers. (2, 2, 2, 2) is FANet: the first 2 is its additional spatial reduction. (1, 2,
        2, 2) omits it, for features at 1/4 .. 1/32 of the input; more than 2 reduces further.
    :param class_bias: whether the logits have a bias per class; FANet has none, balance_classes adds it
    :raises ValueError: unknown backbone or flavour, fewer than one class, strides out of 1..4
    """

    def __init__(self, num_classes: int = 19, backbone: str = 'resnet18', flavor: str = 'paper', *,
                 reference_size: Optional[tuple[int, int]] = None, aux_heads: bool = False,
                 strides: tuple[int, int, int, int] = STRIDES, class_bias: bool = False) -> None:
        super().__init__()
        if backbone not in BACKBONES:
            raise ValueError(f'unknown backbone {backbone!r}: expected one of {", ".join(BACKBONES)}')
        if flavor not in FLAVORS:
            raise ValueError(f'unknown flavor {flavor!r}: expected one of {", ".join(FLAVORS)}')
        if num_classes < 1:
            raise ValueError(f'num_classes must be at least 1, got {num_classes}')
        if len(strides) != 4 or not all(1 <= stride <= 4 for stride in strides):
            raise ValueError(f'strides are {list(strides)}: expected four of 1..4')
        if reference_size is not None and flavor == 'paper':
            raise ValueError("reference_size is for flavor='official'; flavor='paper' needs none")
        self.num_classes, self.backbone, self.flavor = num_classes, backbone, flavor
        self.reference_size, self.strides = reference_size, tuple(strides)
        official = flavor == 'official'
        self.resnet = ResNet(backbone, strides)
        channels_8, channels_16, channels_32, channels_64 = self.resnet.channels

        _, stride_8, stride_16, stride_32, stride_64 = accumulate(strides, mul, initial=4)

        def level(channels: int, stride: int, *, up: bool, smooth: bool) -> FastAttentionModule:
            reference_positions = 1.0 if not official else None
            if reference_size is not None:
                reference_positions = float(-(-reference_size[0] // stride) * -(-reference_size[1] // stride))
            return FastAttentionModule(
                channels, has_up=up or official, has_smooth=smooth or official, up_padding=1 if official else 0,
                reference_positions=reference_positions)

        self.fam_32 = level(channels_64, stride_64, up=True, smooth=aux_heads)
        self.fam_16 = level(channels_32, stride_32, up=True, smooth=True)
        self.fam_8 = level(channels_16, stride_16, up=True, smooth=False)
        self.fam_4 = level(channels_8, stride_8, up=False, smooth=True)
        self.clslayer = Head(256, 256, num_classes, class_bias)
        self.aux_heads = aux_heads
        if aux_heads:
            self.clslayer_32 = Head(128, 64, num_classes)
            self.clslayer_16 = Head(128, 64, num_classes)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) float32, normalised, H and W at least 64 -> logits (N, C, ceil(H/8), ceil(W/8))."""
        levels = self._levels(images)
        return self._head(levels.smooth_16, levels.smooth_4)

    def forward_video(self, images: Tensor, past: Sequence[FrameContext] = ()) -> tuple[Tensor, FrameContext]:
        """Like forward(), attending to earlier frames as well: spatial-temporal fast attention.

        :param past: contexts of earlier frames, as returned by this method; any order, any resolution
        :returns: logits (N, C, ceil(H/8), ceil(W/8)), and this frame's context
        """
        levels = self._levels(images, past)
        return self._head(levels.smooth_16, levels.smooth_4), levels.context

    def forward_with_aux(self, images: Tensor, past: Sequence[FrameContext] = ()) -> FANetOutputs:
        """Like forward_video(), with the logits of the auxiliary heads in addition (needs `aux_heads=True`)."""
        levels = self._levels(images, past)
        return FANetOutputs(
            self._head(levels.smooth_16, levels.smooth_4), self.clslayer_32(self.fam_32.smooth(levels.fused_32)),
            self.clslayer_16(levels.smooth_16), levels.context)

    def _levels(self, images: Tensor, past: Sequence[FrameContext] = ()) -> _Levels:
        if not torch.jit.is_tracing() and min(images.shape[-2:]) < MIN_INPUT_PX:
            raise ValueError(
                f'FANet needs images of at least {size_text(MIN_INPUT_PX, MIN_INPUT_PX)} px, got '
                f'{size_text(*images.shape[-2:])}')
        past_4, past_8, past_16, past_32 = zip(*past) if past else ((), (), (), ())
        feat_8, feat_16, feat_32, feat_64 = self.resnet(images)
        fused_32, context_32 = self.fam_32(feat_64, None, past_32)                          # (N, C4, H/64, W/64)
        fused_16, context_16 = self.fam_16(feat_32, self.fam_32.up(fused_32), past_16)      # (N, C3, H/32, W/32)
        fused_8, context_8 = self.fam_8(feat_16, self.fam_16.up(fused_16), past_8)          # (N, C2, H/16, W/16)
        fused_4, context_4 = self.fam_4(feat_8, self.fam_8.up(fused_8), past_4)             # (N, C1, H/8, W/8)
        return _Levels(fused_32, self.fam_16.smooth(fused_16), self.fam_4.smooth(fused_4),
                       FrameContext(context_4, context_8, context_16, context_32))

    def _head(self, smooth_16: Tensor, smooth_4: Tensor) -> Tensor:
        smooth_16 = F.interpolate(smooth_16, smooth_4.shape[-2:], mode='bilinear', align_corners=True)
        return self.clslayer(torch.cat([smooth_16, smooth_4], dim=1))       # (N, C, H/8, W/8)


def _initialise(module: nn.Module) -> None:
    """He et al.'s normal initialisation (arXiv 1502.01852), which preserves the variance through ReLUs."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
