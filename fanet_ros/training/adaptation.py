# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adapts a trained network to the frames of a drive: BatchNorm statistics, and fine-tuning on a few labelled ones.

BatchNorm normalises by the mean and variance of each channel over the training images. For another camera, place or light they are
off; replacing them adapts a network without labels or gradients (AdaBN: Li et al., arXiv 1603.04779).
"""
from __future__ import annotations

import copy
from typing import Iterable, TypeVar

import torch
from torch import Tensor, nn

from fanet_ros.datasets import Samples
from fanet_ros.model import Checkpoint
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.initial_weights import start_from
from fanet_ros.training.losses import LabelMeaning
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network

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


def fine_tune(start: Checkpoint, labelled: Samples, folder: RunFolder, settings: TrainingSettings, view: Augmentation,
              device: torch.device, *, meaning: LabelMeaning = LabelMeaning(), fixed_statistics: bool = True) -> bool:
    """Train the network of `start`, or resume the run in `folder`, which receives the averaged weights as its checkpoint.

    :param meaning: of the labels
    :param fixed_statistics: of BatchNorm, because the frames are too few to measure them
    :returns: False if it was interrupted
    :raises ValueError: see Trainer
    """
    metadata = start.metadata
    network = new_network(metadata, settings.seed)
    state = folder.load(device)
    if state is None:
        start_from(network, metadata, start, 'the original')
    if fixed_statistics:
        freeze_norms(network)
    batches = BatchSource([Group(labelled, 1.0)], view, range(settings.batch_size), settings.seed)
    trainer = Trainer(network, metadata, batches, settings, folder, str(device), meaning=meaning)
    if state is not None:
        trainer.resume(state)
    if not trainer.run():
        return False
    folder.keep(trainer.averaged, metadata, best=False)
    return True


def blend(old: Checkpoint, new: Checkpoint, share: float) -> Checkpoint:
    """Weights and statistics between those of `old` (a share of 0) and of `new` (1); the rest is taken from `old`.

    Part of the way from old weights to fine-tuned ones often generalises better than either end (Wortsman et al., arXiv
    2109.01903); likewise for BatchNorm statistics, of which those of few frames are noisy (Schneider et al., arXiv 2006.16971).
    """
    network = copy.deepcopy(old.network)
    with torch.no_grad():
        for target, other in zip(network.state_dict().values(), new.network.state_dict().values()):
            if target.is_floating_point():
                target.lerp_(other.to(target.device), share)
    return Checkpoint(network.eval(), old.metadata)
