# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fine-tuning on small frames of the synthetic street."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fanet_ros.datasets import Samples
from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.layouts import find_class_map, load_dataset
from fanet_ros.model import Checkpoint, CheckpointMetadata, load_checkpoint
from fanet_ros.training.adaptation import fine_tune
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.run_folder import CHECKPOINT_NAME, RunFolder

CPU = torch.device('cpu')
CLASSES = find_class_map('camvid11')
METADATA = CheckpointMetadata('fanet18', 'paper', 'camvid11', CLASSES.names, CLASSES.colors, (96, 128))
SETTINGS = TrainingSettings(iterations=8, batch_size=2, learning_rate=2e-3, warmup_iterations=1, ema_decay=0.5, save_every=100)
VIEW = Augmentation(64, 96, (0.8, 1.2))


@pytest.fixture(name='all_road', scope='module')
def all_road_fixture() -> Samples:
    """Frames in which everything is labelled as road."""
    street = load_dataset(DataConfig(layout='street', seeds=(0, 1), frames=(0, 20), size=(96, 128)), CLASSES)
    return street.changed(lambda sample: replace(sample, labels=np.full_like(sample.labels, CLASSES.names.index('road'))))


def test_labels_are_learned_with_fixed_statistics_and_a_finished_run_is_resumed(all_road: Samples, tmp_path: Path) -> None:
    torch.manual_seed(3)
    start = Checkpoint(METADATA.build_network().eval(), METADATA)
    with RunFolder(tmp_path) as folder:
        assert fine_tune(start, all_road, folder, SETTINGS, VIEW, CPU)
        after = load_checkpoint(tmp_path / CHECKPOINT_NAME)
        (tmp_path / CHECKPOINT_NAME).unlink()
        assert fine_tune(start, all_road, folder, SETTINGS, VIEW, CPU)      # its state is complete: only the checkpoint is written
    torch.testing.assert_close(load_checkpoint(tmp_path / CHECKPOINT_NAME).network.state_dict(), after.network.state_dict())
    assert after.metadata == METADATA
    means = [[value for name, value in item.network.state_dict().items() if name.endswith('running_mean')]
             for item in (after, start)]
    assert means[0]
    torch.testing.assert_close(means[0], means[1])
    image = torch.from_numpy(all_road[0].rgb.copy()).permute(2, 0, 1)[None] / 64 - 2
    shares = [float((item.network(image).argmax(1) == CLASSES.names.index('road')).float().mean()) for item in (start, after)]
    assert shares[1] > shares[0] + 0.2
