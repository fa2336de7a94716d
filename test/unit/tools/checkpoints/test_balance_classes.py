# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class bias: it undoes a known bias, is fitted on the given frames only, and is stored in the checkpoint."""
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from image_helpers import blotches

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.evaluation.class_balance import ScoredPixels, fit_class_bias, score_pixels
from fanet_ros.inference import Segmenter
from fanet_ros.model import Checkpoint, CheckpointMetadata, load_checkpoint, save_checkpoint
from fanet_ros.tools.checkpoints.balance_classes import main
from fanet_ros.tools.checkpoints.balance_classes_run import with_offsets

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (96, 128),
                              recipe='as it was', figures={'x/y/mean_iou': 0.5})
TILT = np.array([1.5, -1.0, 0.0])


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = METADATA.build_network().train()
    for _ in range(3):      # so that it predicts all classes
        network(torch.randn(4, 3, 96, 128))
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    save_checkpoint(path, network.eval(), METADATA)
    return path


@pytest.fixture(name='samples', scope='module')
def samples_fixture(checkpoint: Path) -> list[Sample]:
    """The network's own predictions as ground truth; a corner is unlabelled."""
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    frames = [blotches(seed, 96, 128) for seed in range(6)]
    samples = [Sample(str(number), rgb, segmenter.segment(rgb).labels.copy()) for number, rgb in enumerate(frames)]
    assert all(len(np.unique(sample.labels)) == 3 for sample in samples)
    for sample in samples:
        sample.labels[:10, :10] = UNLABELLED
    return samples


def at_its_own_resolution(checkpoint: Checkpoint, samples: list[Sample]) -> ScoredPixels:
    return next(pixels for pixels in score_pixels(checkpoint, samples, quiet=True) if pixels.resolution == 1)


def test_a_known_bias_is_found_and_undone(checkpoint: Path, samples: list[Sample]) -> None:
    tilted = with_offsets(load_checkpoint(checkpoint), TILT)
    pixels = at_its_own_resolution(tilted, samples)
    before = pixels.confusion(np.zeros(3)).mean_iou()
    offsets = fit_class_bias([pixels])
    after = pixels.confusion(offsets).mean_iou()
    assert after > 0.85 > before + 0.2
    assert offsets[0] < offsets[2] < offsets[1]
    straight = at_its_own_resolution(load_checkpoint(checkpoint), samples)
    assert straight.confusion(np.zeros(3)).mean_iou() > 0.99 and not fit_class_bias([straight]).any()


def test_the_bias_is_stored_and_survives_rewrites(checkpoint: Path, samples: list[Sample], tmp_path: Path) -> None:
    balanced = with_offsets(with_offsets(load_checkpoint(checkpoint), TILT), -TILT)       # added to the existing bias
    path = tmp_path / 'balanced.safetensors'
    save_checkpoint(path, *balanced)
    assert load_checkpoint(path).metadata.class_bias
    labels = Segmenter.from_checkpoint(path, device='cpu', engine='torch').segment(samples[0].rgb).labels
    known = samples[0].labels != UNLABELLED
    assert np.array_equal(labels[known], samples[0].labels[known])
    tilted = tmp_path / 'tilted.safetensors'
    save_checkpoint(tilted, *with_offsets(load_checkpoint(checkpoint), TILT))
    other = Segmenter.from_checkpoint(tilted, device='cpu', engine='torch').segment(samples[0].rgb).labels
    assert (other == 0).mean() > (labels == 0).mean()
    logits = [load_checkpoint(item).network(torch.zeros(1, 3, 96, 128)) for item in (checkpoint, tilted)]
    assert torch.allclose((logits[1] - logits[0]).mean((0, 2, 3)), torch.from_numpy(TILT).float(), atol=1e-4)


def folder(path: Path, samples: list[Sample]) -> str:
    for name in ('images', 'labels'):
        (path / name).mkdir(parents=True)
    for sample in samples:
        cv2.imwrite(str(path / 'images' / f'{sample.name}.png'), sample.rgb[..., ::-1])
        cv2.imwrite(str(path / 'labels' / f'{sample.name}.png'), sample.labels)
    return str(path)


def test_the_command(checkpoint: Path, samples: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, output, tilted = folder(tmp_path / 'data', samples), tmp_path / 'out.safetensors', tmp_path / 'tilted.safetensors'
    save_checkpoint(tilted, *with_offsets(load_checkpoint(checkpoint), TILT))
    assert main([str(tilted), '--on', str(tilted), data, '0', '1', '2', '--on', str(tilted), data, '3', '4', '5',
                 '--output', str(output)]) == 0
    out = capsys.readouterr().out
    assert 'data 0 1 2: ' in out and '1.5x' in out and 'mean IoU' in out and 'out.safetensors: balanced' in out
    metadata = load_checkpoint(output).metadata
    assert metadata.class_bias and metadata.figures == {} and metadata.recipe.startswith('as it was; classes balanced by')

    assert main([str(tilted), '--on', str(tilted), '--output', str(tmp_path / 'none')]) == 1
    save_checkpoint(tmp_path / 'other.safetensors', load_checkpoint(checkpoint).network,
                    replace(METADATA, class_names=('x', 'y', 'z')))
    for arguments in ([str(tmp_path / 'other.safetensors'), data], [str(tilted), str(tmp_path / 'nowhere')]):
        assert main([str(tilted), '--on', *arguments, '--output', str(tmp_path / 'none')]) == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith('balance_classes: ') and ('other classes' in error or 'nowhere' in error)
    assert not (tmp_path / 'none').exists()


def test_frames_without_labels_are_refused(checkpoint: Path, samples: list[Sample], tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    blank = replace(samples[0], labels=np.full_like(samples[0].labels, UNLABELLED))
    data = folder(tmp_path / 'data', [blank])
    assert main([str(checkpoint), '--on', str(checkpoint), data, '--output', str(tmp_path / 'none')]) == 1
    assert f'no pixel of {data} is labelled' in capsys.readouterr().err and not (tmp_path / 'none').exists()


def test_labels_can_be_colours(checkpoint: Path, samples: list[Sample], tmp_path: Path) -> None:
    colors = np.array([*METADATA.class_colors, *[(0, 0, 0)] * (256 - len(METADATA.class_colors))], np.uint8)
    for name in ('indices', 'colors'):
        folder(tmp_path / name, samples)
    for sample in samples:
        cv2.imwrite(str(tmp_path / 'colors' / 'labels' / f'{sample.name}.png'), colors[sample.labels][..., ::-1])
    outputs = {}
    for name in ('indices', 'colors'):
        outputs[name] = tmp_path / f'{name}.safetensors'
        assert main([str(checkpoint), '--on', str(checkpoint), str(tmp_path / name), '--set', f'labels={name}', '--strength', '1',
                     '--output', str(outputs[name])]) == 0
    biases = [load_checkpoint(path).network.clslayer.conv_out.bias for path in outputs.values()]
    assert torch.equal(*biases)


def test_the_bias_of_another_network_is_copied(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tilted, output = tmp_path / 'tilted.safetensors', tmp_path / 'out.safetensors'
    save_checkpoint(tilted, *with_offsets(load_checkpoint(checkpoint), TILT))
    assert main([str(checkpoint), '--like', str(tilted), '--output', str(output)]) == 0
    bias = load_checkpoint(output).network.clslayer.conv_out.bias
    assert torch.allclose(bias, torch.from_numpy(TILT).float()) and load_checkpoint(output).metadata.class_bias
    assert main([str(output), '--like', str(tilted), '--output', str(tmp_path / 'again.safetensors')]) == 0
    assert torch.allclose(load_checkpoint(tmp_path / 'again.safetensors').network.clslayer.conv_out.bias, bias)
    capsys.readouterr()
    assert main([str(tilted), '--like', str(checkpoint), '--output', str(tmp_path / 'none')]) == 1
    error = capsys.readouterr().err
    assert error.startswith('balance_classes: --like') and 'no class bias' in error and error.count('\n') == 1
    assert not (tmp_path / 'none').exists()
