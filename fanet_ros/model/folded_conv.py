# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A convolution with its BatchNorm folded into it, and what follows."""
from __future__ import annotations

import copy
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet_ros.model.attention import ConvBN
from fanet_ros.model.fused_passes import FusedPasses


def fold_batch_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Fold eval-mode `norm` into `conv`: a convolution with bias that does the same as both, one after the other."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None        # FANet's BatchNorms track statistics
    factor = norm.weight.double() / torch.sqrt(variance.double() + norm.eps)
    folded = copy.deepcopy(conv)
    bias = 0.0 if conv.bias is None else conv.bias.double()
    folded.weight = constant((conv.weight.double() * factor[:, None, None, None]).to(conv.weight))
    folded.bias = constant(((bias - mean.double()) * factor + norm.bias.double()).to(conv.weight))
    return folded


class FoldedConv(nn.Module):
    """A convolution with its activation.

    :param slope: of the activation below zero; 0: ReLU, 1: no activation
    """

    def __init__(self, conv: nn.Conv2d, slope: float, passes: Optional[FusedPasses]) -> None:
        super().__init__()
        self.conv, self._slope, self._passes = conv, slope, passes

    def forward(self, x: Tensor, other: Optional[Tensor] = None) -> Tensor:
        """Activation of the convolution of `x`, plus `other`."""
        if self._passes is not None:
            return self._passes.epilogue(convolved(self.conv, x), bias_of(self.conv), self._slope, other)
        out = self.conv(x) if other is None else self.conv(x) + other
        if self._slope < 1:
            out = F.leaky_relu(out, self._slope) if self._slope else F.relu(out)
        return out


def convolved(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """The convolution of `x` without its bias."""
    return F.conv2d(x, conv.weight, None, conv.stride, conv.padding)


def fold(module: ConvBN) -> nn.Conv2d:
    """fold_batch_norm() of a convolution with its BatchNorm."""
    return fold_batch_norm(module.conv, module.bn)


def bias_of(conv: nn.Conv2d) -> Tensor:
    """(Cout,) bias of a folded convolution."""
    assert conv.bias is not None        # folded convolutions have one
    return conv.bias


def constant(tensor: Tensor) -> nn.Parameter:
    """A copy of `tensor` as a weight that is not trained."""
    return nn.Parameter(tensor.detach().clone(), requires_grad=False)
