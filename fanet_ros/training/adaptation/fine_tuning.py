# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning on frames of a drive, labelled by hand or by a teacher."""
from __future__ import annotations

import torch

from fanet_ros.datasets import Samples
from fanet_ros.model import Checkpoint
from fanet_ros.training.adaptation.norm_statistics import freeze_norms
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.initial_weights import start_from
from fanet_ros.training.losses import LabelMeaning
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network


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
