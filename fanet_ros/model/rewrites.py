# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The same function as an eval-mode FANet, with less arithmetic and fewer passes over memory.

Every rewrite is exact up to rounding; tests compare the whole with the original in float64.

1. BatchNorm is folded into the convolution before it.
2. Query, key and value of a level come from one convolution.
3. `latlayer3` is applied to the C x 32 matrix V^T K^ instead of to n positions: LeakyReLU((W V^T K^) Q^ + b).
4. The head's 3x3 convolution runs over smooth_16 at its own resolution: each tap is a 1x1 convolution, which commutes with
   the interpolation; columns are interpolated and summed first, then rows.
5. Layers that only training uses, or that the authors' code does not use, are left out.
6. With FusedPasses, everything between two convolutions or matrix products is one pass over memory. Bias and activation of the
   stem come after the max-pool, with which they commute: both are monotonic per channel.
"""
from __future__ import annotations

from typing import Optional, cast

from torch import Tensor, nn

from fanet_ros.model.attention import FastAttentionModule
from fanet_ros.model.backbone import LEAKY_SLOPE, BasicBlock, Bottleneck, ResNet
from fanet_ros.model.fanet import FANet, FrameContext
from fanet_ros.model.folded_conv import FoldedConv, bias_of, convolved, fold, fold_batch_norm
from fanet_ros.model.fused_passes import FusedPasses
from fanet_ros.model.rewritten_attention import Attention, FusedAttention
from fanet_ros.model.rewritten_head import CommutedHead, PlainHead
from fanet_ros.model.uninitialised import Uninitialised


class InferenceFANet(nn.Module):
    """A rewritten eval-mode FANet: (N, 3, H, W) -> logits (N, C, ceil(H/8), ceil(W/8)), the same as those of `network`.

    :param network: what to rewrite; its weights are copied
    :param commute_head: do rewrite 4, which saves a sixth of the arithmetic but uses matrix products: where the convolution is
        cheap, as in int8 with VNNI, they cost more than they save
    :param passes: for rewrite 6; None: PyTorch's layers, which other runtimes know how to fuse
    """

    def __init__(self, network: FANet, *, commute_head: bool = True, passes: Optional[FusedPasses] = None) -> None:
        super().__init__()
        with Uninitialised():       # every weight is computed from those of `network`
            self.encoder = _Encoder(network.resnet, passes)
            self.fam_32, self.fam_16, self.fam_8, self.fam_4 = (
                _attention(level, has_up=level is not network.fam_4, passes=passes)
                for level in (network.fam_32, network.fam_16, network.fam_8, network.fam_4))
            self.smooth_16 = FoldedConv(fold(network.fam_16.smooth), LEAKY_SLOPE, passes)
            self.smooth_4 = FoldedConv(fold(network.fam_4.smooth), LEAKY_SLOPE, passes)
            make_head = CommutedHead if commute_head else PlainHead
            self.head = make_head(fold(network.clslayer.conv), network.clslayer.conv_out, passes)

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_video(images)[0]

    def forward_video(self, images: Tensor, past: tuple[FrameContext, ...] = ()) -> tuple[Tensor, FrameContext]:
        """Same as FANet.forward_video()."""
        return self._decode(self.encoder(images), past)

    def stem(self, images: Tensor) -> Tensor:
        """The first layers, for engines that divide the network: (N, 3, H, W) -> (N, 64, ceil(H/4), ceil(W/4))."""
        return self.encoder.stem(images)

    def after_stem(self, pooled: Tensor) -> Tensor:
        """Logits from what stem() returns."""
        return self._decode(self.encoder.after_stem(pooled), ())[0]

    def _decode(self, features: list[Tensor], past: tuple[FrameContext, ...]) -> tuple[Tensor, FrameContext]:
        past_4, past_8, past_16, past_32 = zip(*past) if past else ((), (), (), ())
        feat_8, feat_16, feat_32, feat_64 = features
        fused_32, context_32 = self.fam_32(feat_64, None, past_32)
        fused_16, context_16 = self.fam_16(feat_32, self.fam_32.to_finer(fused_32), past_16)
        fused_8, context_8 = self.fam_8(feat_16, self.fam_16.to_finer(fused_16), past_8)
        fused_4, context_4 = self.fam_4(feat_8, self.fam_8.to_finer(fused_8), past_4)
        logits = self.head(self.smooth_16(fused_16), self.smooth_4(fused_4))
        return logits, FrameContext(context_4, context_8, context_16, context_32)


class _Encoder(nn.Module):
    """ResNet with its BatchNorms folded."""

    def __init__(self, resnet: ResNet, passes: Optional[FusedPasses]) -> None:
        super().__init__()
        self.conv1, self._passes = FoldedConv(fold_batch_norm(resnet.conv1, resnet.bn1), LEAKY_SLOPE, passes), passes
        self.pool = resnet.maxpool
        self.layers = nn.ModuleList(
            nn.Sequential(*(_Block(block, passes) for block in layer))
            for layer in (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4))

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.after_stem(self.stem(images))

    def stem(self, images: Tensor) -> Tensor:
        """First convolution and max-pool."""
        if self._passes is not None:
            conv = self.conv1.conv
            return self._passes.pooled(convolved(conv, images), bias_of(conv), LEAKY_SLOPE)
        pooled: Tensor = self.pool(self.conv1(images))
        return pooled

    def after_stem(self, x: Tensor) -> list[Tensor]:
        """Features of the four layers from what the stem gives."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class _Block(nn.Module):
    """BasicBlock or Bottleneck with its BatchNorms folded."""

    def __init__(self, block: nn.Module, passes: Optional[FusedPasses]) -> None:
        super().__init__()
        assert isinstance(block, (BasicBlock, Bottleneck))
        count = 2 if isinstance(block, BasicBlock) else 3
        self.convs = nn.ModuleList(
            FoldedConv(fold_batch_norm(getattr(block, f'conv{number}'), getattr(block, f'bn{number}')),
                       LEAKY_SLOPE if number < count else 0.0, passes) for number in range(1, count + 1))
        shortcut = block.downsample
        self.shortcut = shortcut if isinstance(shortcut, nn.Identity) else FoldedConv(fold_batch_norm(
            *cast('tuple[nn.Conv2d, nn.BatchNorm2d]', shortcut)), 1.0, passes)

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for conv in self.convs[:-1]:
            out = conv(out)
        return self.convs[-1](out, self.shortcut(x))


def _attention(level: FastAttentionModule, *, has_up: bool, passes: Optional[FusedPasses]) -> Attention:
    return Attention(level, has_up=has_up) if passes is None else FusedAttention(level, has_up=has_up, passes=passes)
