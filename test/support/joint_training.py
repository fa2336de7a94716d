# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A short training by one process, or by all that torchrun starts: torchrun joint_training.py IMAGES RUN_FOLDER."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Optional

import torch
from torch import nn

from fanet_ros.datasets import load_folder
from fanet_ros.model import load_checkpoint
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.processes import Processes
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network

SETTINGS = TrainingSettings(iterations=4, batch_size=8, learning_rate=1e-3, optimizer='sgd', warmup_iterations=0,
                            schedule='constant', class_balance=False, precision='float32')


class FixedNorm(nn.BatchNorm2d):
    """Statistics of a whole batch and of half a batch differ, more than what the test is about: use the network's own."""

    def train(self, mode: bool = True) -> FixedNorm:
        super().train(False)
        return self


def train(images: Path, run_folder: Path, processes: Processes, positions: Optional[range] = None) -> torch.Tensor:
    """Train on the clips `positions` of each batch, by default this process's share.

    Returns the change of all weights in one vector.
    """
    checkpoint = load_checkpoint('fanet18_camvid')
    network = new_network(checkpoint.metadata, SETTINGS.seed)
    network.load_state_dict(checkpoint.network.state_dict(), strict=False)      # all but the auxiliary heads
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = FixedNorm
    start = weights_of(network)
    batches = BatchSource([Group(load_folder(images, 11), 1.0)], Augmentation(64, 96),
                          positions or processes.share(SETTINGS.batch_size), SETTINGS.seed)
    with RunFolder(run_folder, owner=processes.is_first) as folder:
        trainer = Trainer(network, checkpoint.metadata, batches, SETTINGS, folder, processes=processes)
        assert trainer.run()
    return weights_of(network) - start


def weights_of(network: nn.Module) -> torch.Tensor:
    """All parameters in one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


if __name__ == '__main__':
    torch.set_num_threads(1)
    own = Processes.from_environment()
    own.join(torch.device('cpu'))
    assert own.count == 2
    assert own.are_equal([3, 4], torch.device('cpu')) and not own.are_equal([3, own.rank], torch.device('cpu'))
    torch.save(train(Path(sys.argv[1]), Path(sys.argv[2]), own), f'{sys.argv[2]}_{own.rank}.pt')
    own.leave()
