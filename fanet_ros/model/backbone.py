# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ResNet encoders with the additional spatial reduction of FANet.

Two things differ from torchvision's ResNet (He et al., arXiv 1512.03385): layer1 has stride 2 as well, so that the four feature
maps are at 1/8, 1/16, 1/32 and 1/64 of the input (other strides can be chosen); and every BatchNorm that follows a convolution
inside a block, and the stem's, is followed by LeakyReLU(0.01) instead of ReLU. The output of a block has ReLU.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import torch
from torch import Tensor, nn

LEAKY_SLOPE = 0.01
STRIDES = (2, 2, 2, 2)          # of layer1..layer4, after the stem's 4; torchvision's are (1, 2, 2, 2)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut: (N, Cin, H, W) -> (N, Cout, ceil(H/stride), ceil(W/stride))."""

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, stride)
        self.leaky = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.leaky(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions with a shortcut: (N, Cin, H, W) -> (N, 4 width, ceil(H/stride), ceil(W/stride))."""

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride)
        self.leaky = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.leaky(self.bn1(self.conv1(x)))
        out = self.leaky(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + self.downsample(x))


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


@dataclass(frozen=True)
class BackboneSpec:
    """Block type and depth of an encoder."""

    block: Union[type[BasicBlock], type[Bottleneck]]
    depths: tuple[int, int, int, int]      # blocks in layer1..layer4


BACKBONES: dict[str, BackboneSpec] = {
    'resnet18': BackboneSpec(BasicBlock, (2, 2, 2, 2)),
    'resnet34': BackboneSpec(BasicBlock, (3, 4, 6, 3)),
    'resnet50': BackboneSpec(Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """Encoder: (N, 3, H, W) -> features at 1/8, 1/16, 1/32 and 1/64, with `channels` channels.

    :param strides: of layer1..layer4; others than STRIDES change the features' resolutions
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, backbone: str, strides: tuple[int, int, int, int] = STRIDES) -> None:
        super().__init__()
        spec = BACKBONES[backbone]
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.leaky = nn.LeakyReLU(LEAKY_SLOPE, inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        widths = (64, 128, 256, 512)
        self.channels = tuple(width * spec.block.expansion for width in widths)
        in_channels = 64
        for index, (width, depth, stride) in enumerate(zip(widths, spec.depths, strides), start=1):
            blocks = [spec.block(in_channels, width, stride)]
            in_channels = width * spec.block.expansion
            blocks += [spec.block(in_channels, width, stride=1) for _ in range(depth - 1)]
            self.add_module(f'layer{index}', nn.Sequential(*blocks))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.leaky(self.bn1(self.conv1(images)))    # (N, 64, H/2, W/2)
        x = self.maxpool(x)                             # (N, 64, H/4, W/4)
        feat_8 = self.layer1(x)                         # (N, C1, H/8, W/8)
        feat_16 = self.layer2(feat_8)                   # (N, C2, H/16, W/16)
        feat_32 = self.layer3(feat_16)                  # (N, C3, H/32, W/32)
        feat_64 = self.layer4(feat_32)                  # (N, C4, H/64, W/64)
        return feat_8, feat_16, feat_32, feat_64


def backbone_of_state_dict(keys: set[str] | dict[str, torch.Tensor], prefix: str = 'resnet.') -> str | None:
    """Name of the encoder whose blocks are exactly those in `keys`, or None."""
    for name, spec in BACKBONES.items():
        last_conv = 'conv3' if spec.block is Bottleneck else 'conv2'
        expected = {f'{prefix}layer{layer}.{block}.{last_conv}.weight'
                    for layer, depth in enumerate(spec.depths, start=1) for block in range(depth)}
        present = {key for key in keys if key.startswith(f'{prefix}layer') and key.endswith(f'.{last_conv}.weight')}
        has_conv3 = any(key.endswith('.conv3.weight') for key in keys if key.startswith(prefix))
        if expected == present and has_conv3 == (spec.block is Bottleneck):
            return name
    return None
