# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BatchNorm statistics of new frames.

BatchNorm normalises by the mean and variance of each channel over the training images. For another camera, place or light they are
off; replacing them adapts a network without labels or gradients (AdaBN: Li et al., arXiv 1603.04779).
"""
from __future__ import annotations

import copy
from typing import Iterable, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar('Network', bound=nn.Module)


def with_statistics_of(network: Network, batches: Iterable[Tensor], device: torch.device) -> Network:
    """A copy of `network` on `device`, in eval mode, that uses the statistics of these images.

    Each BatchNorm sees its input as normalised by the new statistics of those before it.

    :param batches: (N, 3, H, W) on `device`, preprocessed; the images of a batch should be from all over the drive
    """
    network = copy.deepcopy(network).to(device).eval()
    for norm in _norms(network):
        norm.train()
        norm.momentum = None        # average all batches with equal weight
        norm.reset_running_stats()
    with torch.no_grad():
        for images in batches:
            network(images)
    return network.eval()


class FrozenNorm(nn.BatchNorm2d):
    """A BatchNorm that keeps using its statistics while the network is trained."""

    def train(self, mode: bool = True) -> FrozenNorm:
        """Stay in eval mode."""
        super().train(False)
        return self


def freeze_norms(network: nn.Module) -> None:
    """Keep the statistics fixed in training, where they would become those of a few colour-augmented views.

    Scale and shift of every BatchNorm are still trained.
    """
    for norm in _norms(network):
        norm.__class__ = FrozenNorm
        norm.eval()


def _norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
