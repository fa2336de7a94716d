# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration matches confidence to accuracy and leaves labels unchanged."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fanet_ros.evaluation.calibration import calibration_error, fit_temperature
from fanet_ros.evaluation.class_balance import ScoredPixels
from fanet_ros.inference import Segmenter
from fanet_ros.model import CheckpointError, CheckpointMetadata, change_metadata, load_checkpoint, save_checkpoint
from fanet_ros.tools.checkpoints.calibrate import main

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (64, 96))
TEMPERATURE = 2.5


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An overconfident checkpoint, and frames with random labels."""
    folder = tmp_path_factory.mktemp('calibrate')
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = METADATA.build_network().train()
        for _ in range(3):
            network(torch.randn(4, 3, 64, 96))
        network.clslayer.conv_out.weight *= 20
    save_checkpoint(folder / 'trio.safetensors', network.eval(), METADATA, dtype=torch.int8)
    generator = np.random.default_rng(0)
    for name, most, shape in (('images', 256, (64, 96, 3)), ('labels', 3, (64, 96))):
        (folder / name).mkdir()
        for number in range(2):
            cv2.imwrite(str(folder / name / f'{number}.png'), generator.integers(0, most, shape, np.uint8))
    return folder


def test_the_temperature_of_the_sampled_labels_is_found() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        logits = 4 * torch.randn(20000, 5)
        labels = torch.multinomial((logits / TEMPERATURE).softmax(1), 1)[:, 0]
    pixels = ScoredPixels(logits, labels.numpy().astype(np.uint8)[None], 1.0)
    assert abs(fit_temperature(pixels) - TEMPERATURE) < 0.1
    assert calibration_error(pixels) > 0.1 and calibration_error(pixels, TEMPERATURE) < 0.02


def test_the_temperature_is_stored_and_changes_only_the_confidence(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = folder / 'trio.safetensors', folder / 'calibrated.safetensors'
    assert main([str(source), '--data', str(folder), '--output', str(output)]) == 0
    printed = capsys.readouterr().out
    before, after = load_checkpoint(source), load_checkpoint(output)
    temperature = after.metadata.temperature
    assert temperature > 1.5 and f'calibrated  temperature {temperature:.3f}' in printed      # labels are random
    for name, tensor in before.network.state_dict().items():
        assert torch.equal(tensor, after.network.state_dict()[name])
    rgb = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    sure, honest = (Segmenter.from_checkpoint(path, device='cpu', engine='torch').segment(rgb, confidence=True)
                    for path in (source, output))
    assert (sure.labels == honest.labels).mean() > 0.999
    assert honest.confidence.mean() < sure.confidence.mean() - 10


def test_zero_temperature_or_no_labels_are_rejected(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckpointError, match='temperature must be above 0, got 0'):
        change_metadata(folder / 'trio.safetensors', tmp_path / 'x.safetensors', temperature=0.0)
    for name in ('images', 'labels'):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / 'images' / '0.png'), np.zeros((64, 96, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'labels' / '0.png'), np.full((64, 96), 255, np.uint8))
    assert main([str(folder / 'trio.safetensors'), '--data', str(tmp_path), '--output', str(tmp_path / 'y.safetensors')]) == 1
    assert 'no pixel of' in capsys.readouterr().err and not list(tmp_path.glob('*.safetensors'))
