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
6. With an epilogue, bias, sum and activation after a convolution are one pass, and the stem's come after the max-pool, with
   which they commute: both are monotonic per channel.
"""
from __future__ import annotations

from typing import Optional, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.model.attention import QUERY_CHANNELS, FastAttentionModule
from fanet_ros.model.backbone import LEAKY_SLOPE, BasicBlock, Bottleneck, ResNet
from fanet_ros.model.fanet import FANet, FrameContext
from fanet_ros.model.folded_conv import Epilogue, FoldedConv, bias_of, constant, fold, fold_batch_norm
from fanet_ros.model.rewritten_head import CommutedHead, PlainHead
from fanet_ros.model.uninitialised import Uninitialised


class InferenceFANet(nn.Module):
    """A rewritten eval-mode FANet: (N, 3, H, W) -> logits (N, C, ceil(H/8), ceil(W/8)), the same as those of `network`.

    :param network: what to rewrite; its weights are copied
    :param commute_head: do rewrite 4, which saves a sixth of the arithmetic but uses matrix products: where the convolution is
        cheap, as in int8 with VNNI, they cost more than they save
    :param epilogue: for rewrite 6; None: PyTorch's layers, which other runtimes know how to fuse
    """

    def __init__(self, network: FANet, *, commute_head: bool = True, epilogue: Optional[Epilogue] = None) -> None:
        super().__init__()
        with Uninitialised():       # every weight is computed from those of `network`
            self.encoder = _Encoder(network.resnet, epilogue)
            self.fam_32, self.fam_16, self.fam_8, self.fam_4 = (
                _Attention(level, epilogue, has_up=level is not network.fam_4)
                for level in (network.fam_32, network.fam_16, network.fam_8, network.fam_4))
            self.smooth_16 = FoldedConv(fold(network.fam_16.smooth), LEAKY_SLOPE, epilogue)
            self.smooth_4 = FoldedConv(fold(network.fam_4.smooth), LEAKY_SLOPE, epilogue)
            make_head = CommutedHead if commute_head else PlainHead
            self.head = make_head(fold(network.clslayer.conv), network.clslayer.conv_out, epilogue)

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_video(images)[0]

    def forward_video(self, images: Tensor, past: tuple[FrameContext, ...] = ()) -> tuple[Tensor, FrameContext]:
        """Same as FANet.forward_video()."""
        return self._decode(self.encoder(images), past)

    def stem(self, images: Tensor) -> Tensor:
        """The first layers, for engines that divide the network: (N, 3, H, W) -> (N, 64, ceil(H/4), ceil(W/4))."""
        pooled: Tensor = self.encoder.stem(images, pool=self.encoder.pool)
        return pooled

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

    def __init__(self, resnet: ResNet, epilogue: Optional[Epilogue]) -> None:
        super().__init__()
        self.stem = FoldedConv(fold_batch_norm(resnet.conv1, resnet.bn1), LEAKY_SLOPE, epilogue)
        self.pool = resnet.maxpool
        self.layers = nn.ModuleList(
            nn.Sequential(*(_Block(block, epilogue) for block in layer))
            for layer in (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4))

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.after_stem(self.stem(images, pool=self.pool))

    def after_stem(self, x: Tensor) -> list[Tensor]:
        """Features of the four layers from what the stem gives."""
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class _Block(nn.Module):
    """BasicBlock or Bottleneck with its BatchNorms folded."""

    def __init__(self, block: nn.Module, epilogue: Optional[Epilogue]) -> None:
        super().__init__()
        assert isinstance(block, (BasicBlock, Bottleneck))
        count = 2 if isinstance(block, BasicBlock) else 3
        self.convs = nn.ModuleList(
            FoldedConv(fold_batch_norm(getattr(block, f'conv{number}'), getattr(block, f'bn{number}')),
                       LEAKY_SLOPE if number < count else 0.0, epilogue) for number in range(1, count + 1))
        shortcut = block.downsample
        self.shortcut = shortcut if isinstance(shortcut, nn.Identity) else FoldedConv(fold_batch_norm(
            *cast('tuple[nn.Conv2d, nn.BatchNorm2d]', shortcut)), 1.0, epilogue)

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for conv in self.convs[:-1]:
            out = conv(out)
        return self.convs[-1](out, self.shortcut(x))


class _Attention(nn.Module):
    """One attention level, rewrites 2 and 3."""

    lateral_weight: Tensor
    lateral_bias: Tensor

    def __init__(self, level: FastAttentionModule, epilogue: Optional[Epilogue], *, has_up: bool) -> None:
        super().__init__()
        query, key, value = (fold(part) for part in (level.w_qs, level.w_ks, level.w_vs))
        qkv = nn.Conv2d(query.in_channels, 2 * QUERY_CHANNELS + value.out_channels, 1).to(query.weight)
        qkv.weight = constant(torch.cat([part.weight for part in (query, key, value)]))
        qkv.bias = constant(torch.cat([bias_of(part) for part in (query, key, value)]))
        self.qkv = FoldedConv(qkv, 1.0, epilogue)
        lateral = fold(level.latlayer3)
        self.register_buffer('lateral_weight', lateral.weight.detach().flatten(1).clone())       # (C, C)
        self.register_buffer('lateral_bias', bias_of(lateral).detach()[:, None].clone())             # (C, 1)
        self.up = FoldedConv(fold(level.up), LEAKY_SLOPE, epilogue) if has_up else None
        self.reference_positions = level.reference_positions

    def forward(self, feature: Tensor, coarser: Optional[Tensor],
                past: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        height, width = feature.shape[-2:]
        scale = 1.0 if self.reference_positions is None else self.reference_positions / (height * width)
        query, key, value = self.qkv(feature).flatten(2).split(
            [QUERY_CHANNELS, QUERY_CHANNELS, self.lateral_weight.shape[0]], dim=1)
        # The scale is split between both sides of the sum over n, so that neither factor leaves half precision's range.
        key = key * (_inverse_norm(key) * scale ** 0.5)
        context = (_leaky(value) @ key.transpose(1, 2)) * scale ** 0.5                          # (N, C, 32)
        attended = context if not past else (context + sum(past)) / (1 + len(past))
        out = (self.lateral_weight @ attended) @ (query * _inverse_norm(query))                 # (N, C, n)
        # `feature` comes first: a sum has the memory layout of its first term, channels last, which convolutions prefer.
        fused = feature + _leaky(out + self.lateral_bias).view(feature.shape)
        if coarser is not None:
            fused = fused + F.interpolate(coarser, (height, width), mode='bilinear', align_corners=True)
        return fused, context

    def to_finer(self, fused: Tensor) -> Tensor:
        """Features that the next finer level adds: (N, C, h, w) -> (N, C/2, h, w)."""
        assert self.up is not None      # all levels but the finest have it
        return self.up(fused)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAKY_SLOPE)


def _inverse_norm(x: Tensor) -> Tensor:
    """1 / L2 norm over channels, (N, c, n) -> (N, 1, n), guarded as in F.normalize."""
    return 1.0 / torch.clamp(x.pow(2).sum(1, keepdim=True).sqrt(), min=1e-12)
