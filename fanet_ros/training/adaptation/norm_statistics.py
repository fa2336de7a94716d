# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BatchNorm statistics of new frames.

BatchNorm normalises by the mean and variance of each channel over the training images. For another camera, place or light they are
off; replacing them adapts a network without labels or gradients (AdaBN: Li et al., arXiv 1603.04779).
"""
from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Iterable

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class NormStatistics:
    """Mean and variance per channel of every BatchNorm of a network, in the order of its modules."""

    means: tuple[Tensor, ...]
    variances: tuple[Tensor, ...]

    @classmethod
    def of(cls, network: nn.Module) -> NormStatistics:
        """The statistics that the network currently uses."""
        pairs = [(norm.running_mean, norm.running_var) for norm in _norms(network)]
        return cls(tuple(mean.clone() for mean, _ in pairs if mean is not None),
                   tuple(variance.clone() for _, variance in pairs if variance is not None))

    @classmethod
    def measured(cls, network: nn.Module, batches: Iterable[Tensor]) -> NormStatistics:
        """Statistics over batches of images; each BatchNorm sees its input as normalised by the new statistics of those before it.

        :param network: is not changed
        :param batches: (N, 3, H, W), preprocessed; the images of a batch should be from all over the drive
        """
        network = copy.deepcopy(network).eval()
        for norm in _norms(network):
            norm.train()
            norm.momentum = None        # average all batches with equal weight
            norm.reset_running_stats()
        with torch.no_grad():
            for images in batches:
                network(images)
        return cls.of(network)

    def apply_to(self, network: nn.Module) -> None:
        """Make the network use these statistics."""
        for norm, mean, variance in zip(_norms(network), self.means, self.variances):
            assert norm.running_mean is not None and norm.running_var is not None
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)


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
