# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Averaging checkpoints, and rejecting those that differ."""
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fanet_ros.datasets import Entry, Sample
from fanet_ros.datasets.fingerprints import count_known, to_text
from fanet_ros.model import CheckpointMetadata, load_checkpoint, save_checkpoint
from fanet_ros.tools.checkpoints.average_checkpoints import main

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (96, 128),
                              figures={'x/y/mean_iou': 0.5})


def saved(path: Path, seed: int, metadata: CheckpointMetadata = METADATA) -> str:
    torch.manual_seed(seed)
    save_checkpoint(path, metadata.build_network(), metadata)
    return str(path)


def test_every_tensor_is_the_mean_and_figures_are_not_inherited(tmp_path: Path) -> None:
    names = [saved(tmp_path / f'{seed}.safetensors', seed) for seed in (1, 2)]
    output = tmp_path / 'mean.safetensors'
    assert main([*names, '--output', str(output)]) == 0
    ours, metadata = load_checkpoint(output)
    first, second = (load_checkpoint(name).network.state_dict() for name in names)
    for key, value in ours.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, (first[key] + second[key]) / 2, rtol=2e-3, atol=1e-4), key        # to half precision
    assert metadata.figures == {} and metadata.recipe.startswith('mean of the weights of 1, 2')
    assert metadata.class_names == METADATA.class_names


def test_frames_of_all_are_known_as_trained_on(tmp_path: Path) -> None:
    entries = [Entry(name, lambda: Sample(name, np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8))) for name in 'abc']
    names = [saved(tmp_path / f'{seed}.safetensors', seed, replace(METADATA, training_frames=to_text(entries[seed:seed + 2])))
             for seed in range(2)]
    assert main([*names, '--output', str(tmp_path / 'mean.safetensors')]) == 0
    frames = load_checkpoint(tmp_path / 'mean.safetensors').metadata.training_frames
    assert [count_known(frames, [entry]) for entry in entries] == [1, 1, 1]


def test_files_of_trainings_are_named_after_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, folder in enumerate(('street', 'dusk')):
        (tmp_path / folder).mkdir()
        saved(tmp_path / folder / 'checkpoint.safetensors', seed)
    monkeypatch.chdir(tmp_path / 'street')
    assert main(['checkpoint.safetensors', '../dusk/checkpoint.safetensors', '--output', 'mean.safetensors']) == 0
    assert load_checkpoint('mean.safetensors').metadata.recipe.startswith('mean of the weights of street, dusk')


def test_other_classes_are_rejected_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [saved(tmp_path / 'a.safetensors', 1),
             saved(tmp_path / 'b.safetensors', 1, replace(METADATA, class_names=('a', 'b', 'd')))]
    output = tmp_path / 'mean.safetensors'
    assert main([*names, '--output', str(output)]) == 1 and not output.exists()
    error = capsys.readouterr().err
    assert error.startswith('average_checkpoints: b has class_names') and error.count('\n') == 1
