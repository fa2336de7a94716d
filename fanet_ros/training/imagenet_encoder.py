# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts from torchvision's ResNet-18 trained on ImageNet, its BatchNorms folded into the convolutions.

The weights (BSD-3-Clause) are in weights/imagenet_resnet18.npz, named as in torchvision: NAME.weight and NAME.bias of each
convolution. The four 3x3 convolutions of layer4 have biases only and start at random.
"""
from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Optional

import numpy as np
import torch
from torch import Tensor, nn

from fanet_ros.model import FANet
from fanet_ros.model.backbone import BasicBlock
from fanet_ros.model.checkpoint_files import weights_directory

NAME = 'imagenet'
FILE = 'imagenet_resnet18.npz'
EXTRA_SHORTCUT = 'layer1.0.downsample.0'    # of FANet's additional spatial reduction
MIN_DEVIATION = 1e-3        # of a channel that is constant on the given frames


def start_from_imagenet(network: FANet, images: Tensor, path: Optional[Path] = None) -> str:
    """Load the ImageNet weights into the encoder; returns one line that says what starts at random.

    A folded convolution needs a BatchNorm again before it can be trained: its mean m and variance v are those of the
    convolution's output on `images`, its weight sqrt(v + eps) and its bias m + b, so that both together compute the same as the
    folded convolution. FANet's additional shortcut of layer1, which ResNet lacks, starts as taking every second pixel; the
    second BatchNorm of each block of layer4 starts at 0, so that the block starts as its shortcut.

    :param images: (N, 3, H, W) float32, normalised: a few dozen of the frames to train on
    :param path: of the weights; None: the shipped file
    :raises ValueError: the encoder is not a ResNet-18, or the file is missing or invalid
    """
    if network.backbone != 'resnet18':
        raise ValueError(f'init: {NAME} is a resnet18, the recipe trains a {network.backbone}: train a fanet18 from '
                         'it first; a fanet34 can start from that checkpoint')
    folded = _load(path or weights_directory() / FILE)
    encoder = network.resnet
    modules = dict(encoder.named_modules())
    with torch.no_grad():
        modules[EXTRA_SHORTCUT].weight.copy_(torch.eye(64)[:, :, None, None])
        for name, module in modules.items():
            if isinstance(module, nn.Conv2d) and f'{name}.weight' in folded:
                module.weight.copy_(folded[f'{name}.weight'])
        for block in encoder.layer4:
            assert isinstance(block, BasicBlock)        # as in every ResNet-18
            nn.init.zeros_(block.bn2.weight)
    biases = {EXTRA_SHORTCUT: torch.zeros(64)} | {
        name: folded[f'{name}.bias'] for name in modules if f'{name}.weight' in folded}
    _adapt_norms(network, {modules[_norm_of(name)]: bias for name, bias in biases.items()}, images)
    return f'the encoder of {NAME}; at random: the 3x3 convolutions of layer4, attention and heads'


def _adapt_norms(network: FANet, biases: dict[nn.Module, Tensor], images: Tensor) -> None:
    """Give each BatchNorm of the encoder the statistics of its input, after those before it have been adapted.

    :param biases: (C,) of the folded convolutions, by the BatchNorms that follow them; others keep weight and bias
    """
    def adapt(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
        variance, mean = torch.var_mean(inputs[0].float(), (0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance.clamp(min=MIN_DEVIATION ** 2))
        if norm in biases:
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(mean + biases[norm])

    norms = [module for module in network.resnet.modules() if isinstance(module, nn.BatchNorm2d)]
    handles = [norm.register_forward_pre_hook(adapt) for norm in norms]
    training = network.training
    with torch.no_grad():
        network.resnet.eval()(images)
    network.train(training)
    for handle in handles:
        handle.remove()


def _norm_of(convolution: str) -> str:
    """Name of the BatchNorm that follows: conv1 -> bn1, layer1.0.conv2 -> layer1.0.bn2, downsample.0 -> downsample.1."""
    if convolution.endswith('downsample.0'):
        return convolution[:-1] + '1'
    return convolution.replace('conv', 'bn')


def _load(path: Path) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f'init: {path} cannot be read ({error}): install the package again, which ships it') from None
