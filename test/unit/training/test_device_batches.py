# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Views rendered on the device match those of OpenCV, and the batches have the same draws."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fanet_ros.datasets import Sample, Samples
from fanet_ros.datasets.samples import Entry
from fanet_ros.model import CheckpointMetadata
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.device_batches import DeviceBatchSource
from fanet_ros.training.device_views import PixelStore, ViewTensors, render, render_soft
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network

CPU = torch.device('cpu')
CLASSES = 5


def sample_image(seed: int, height: int, width: int, *, soft: bool) -> Sample:
    """Smooth colours, and labels in blocks."""
    rng = np.random.default_rng(seed)
    blocks = (height // 8, width // 8)
    rgb = cv2.resize(rng.integers(0, 256, (*blocks, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    labels = cv2.resize(rng.integers(0, CLASSES, blocks, np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    cells = rng.integers(0, 256 // CLASSES, (height // 4, width // 4, CLASSES)).astype(np.uint8)
    return Sample(str(seed), rgb, labels, cells if soft else None)


# The last one has no soft labels: its lookups must not exceed those of the others.
SAMPLES = (sample_image(1, 96, 128, soft=True), sample_image(3, 72, 200, soft=True), sample_image(2, 144, 96, soft=False))


def group(*samples: Sample, share: float = 1.0) -> Group:
    return Group(Samples([Entry(item.name, lambda item=item: item) for item in samples]), share)


def test_views_match_opencv() -> None:
    augmentation = Augmentation(80, 112, scale=(0.5, 1.8), rotation_deg=15, blur=0.5, noise=0, jpeg=0)
    rng = np.random.default_rng(0)
    chosen = [SAMPLES[number % 3] for number in range(12)]
    views = [augmentation.draw(*sample.labels.shape, rng) for sample in chosen]
    store = PixelStore(SAMPLES, CPU)
    tensors = ViewTensors.of(views, [store.places[number % 3] for number in range(12)])
    rgb, labels = render(store, tensors, 80, 112)
    soft = render_soft(store, tensors, 80, 112)
    assert soft is not None and 0 < len(tensors.blurred) < 12
    for number, (sample, view) in enumerate(zip(chosen, views)):
        expected_rgb, expected_labels = augmentation.render(sample, view)
        difference = np.abs(rgb[number].numpy() - expected_rgb)
        assert difference.mean() < 1.0 and np.percentile(difference, 99) < 6
        assert (labels[number].numpy() == expected_labels).mean() > 0.998
        expected_soft = augmentation.render_soft(sample, view)
        if expected_soft is None:
            assert not soft[number].any()
        else:
            assert np.abs(soft[number].numpy().astype(int) - expected_soft).max() <= 1


def test_noise_has_the_drawn_strength() -> None:
    grey = Sample('grey', np.full((96, 96, 3), 128, np.uint8), np.zeros((96, 96), np.uint8))
    augmentation = Augmentation(64, 64, color=0, hue_deg=0, gamma=0, rotation_deg=0, scale=(1.0, 1.0), blur=0, noise=1, jpeg=0)
    view = augmentation.draw(96, 96, np.random.default_rng(0))
    store = PixelStore([grey], CPU)
    rgb, _ = render(store, ViewTensors.of([view], store.places), 64, 64)
    assert view.noise > 0 and float((rgb - 128).std()) == pytest.approx(view.noise, rel=0.05)


def test_a_batch_has_the_same_noise_again() -> None:
    source = DeviceBatchSource([group(*SAMPLES)], Augmentation(64, 96, noise=1, jpeg=0), range(2), 4, CPU)
    first, other, again = (source.batch(number).to(CPU).rgb for number in (7, 8, 7))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_all_batches_have_soft_labels_if_one_data_set_has_them() -> None:
    """A step recorded on a GPU copies each batch into the tensors of the first."""
    source = BatchSource([group(SAMPLES[0]), group(SAMPLES[2])], Augmentation(64, 96), range(1), 0)
    soft = [source.batch(number).soft for number in range(8)]
    assert {None if item is None else item.shape for item in soft} == {(1, 1, 8, 12, CLASSES)}
    assert {bool(item.any()) for item in soft if item is not None} == {True, False}


@pytest.mark.parametrize('paste', [0.0, 0.7])
def test_batches_match_those_of_the_cpu(paste: float) -> None:
    augmentation = Augmentation(64, 96, noise=0, jpeg=0, paste=paste)
    groups = [group(*SAMPLES[:2], share=0.6), group(SAMPLES[2], share=0.4)]
    expected = BatchSource(groups, augmentation, range(6), seed=4).batch(7, 0.5)
    made = DeviceBatchSource(groups, augmentation, range(6), 4, CPU).batch(7, 0.5).to(CPU)
    assert made.rgb.shape == expected.rgb.shape and made.rgb.dtype == torch.uint8
    assert (made.labels == expected.labels).float().mean() > 0.995
    assert (made.rgb.float() - expected.rgb.float()).abs().mean() < 1.5
    assert made.soft is not None and expected.soft is not None
    assert (made.soft.int() - expected.soft.int()).abs().float().mean() < 0.5


@pytest.mark.slow
def test_both_batch_sources_train_alike(tmp_path: Path) -> None:
    """Some iterations on the same draws: the losses differ by rounding only, and fall."""
    metadata = CheckpointMetadata('fanet18', 'paper', 'five', tuple('abcde'), ((1, 2, 3),) * CLASSES, (96, 128))
    augmentation = Augmentation(64, 64, color=0.1, blur=0, noise=0, jpeg=0, scale=(0.8, 1.2), rotation_deg=0)
    settings = TrainingSettings(iterations=24, batch_size=4, precision='float32', warmup_iterations=4, learning_rate=2e-3)
    groups = [group(*SAMPLES)]

    def losses(name: str, batches: BatchSource | DeviceBatchSource) -> list[float]:
        trainer = Trainer(new_network(metadata, 0), metadata, batches, settings, RunFolder(tmp_path / name))
        trainer.run()
        return trainer.losses
    opencv = losses('opencv', BatchSource(groups, augmentation, range(4), 1))
    device = losses('device', DeviceBatchSource(groups, augmentation, range(4), 1, CPU))
    assert device[0] == pytest.approx(opencv[0], rel=0.05)
    assert np.mean(device[-6:]) == pytest.approx(np.mean(opencv[-6:]), rel=0.2)
    assert np.mean(device[-6:]) < 0.8 * np.mean(device[:6])
