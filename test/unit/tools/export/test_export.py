# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exported files reproduce the network."""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fanet_ros.inference import Segmenter
from fanet_ros.model import CheckpointMetadata, load_checkpoint, save_checkpoint
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools.export import command as export
from fanet_ros.tools.export import run as export_run

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (64, 96))


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = METADATA.build_network().train()
        for _ in range(3):
            network(torch.randn(4, 3, 64, 96))
    save_checkpoint(path, network.eval(), METADATA)
    return path


@pytest.fixture(name='rgb')
def rgb_fixture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (65, 97, 3), np.uint8)


def test_full_file_turns_frames_into_labels(checkpoint: Path, rgb: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'full.onnx'
    assert export.main([str(path), '--checkpoint', str(checkpoint), '--full', '--resolution', '97x65']) == 0
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    labels, = session.run(['labels'], {'rgb': rgb})
    expected = Segmenter.from_checkpoint(checkpoint, device='cpu', input_height=65, input_width=97, engine='torch')
    assert labels.dtype == np.uint8 and (labels == expected.segment(rgb).labels).mean() > 0.999
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties['class_names']) == ['a', 'b', 'c'] and properties['variant'] == 'fanet18'
    assert [path.name for path in path.parent.iterdir()] == ['full.onnx']


def test_documented_code_runs_and_metadata_describe_the_upsampling(
        checkpoint: Path, rgb: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture) -> None:
    monkeypatch.chdir(tmp_path)
    assert export.main(['street.onnx', '--checkpoint', str(checkpoint), '--full']) == 0
    cv2.imwrite('street.jpg', rgb)
    capsys.readouterr()
    page = (Path(__file__).parents[4] / 'docs' / 'export.md').read_text(encoding='utf-8')
    exec(page.split('```python\n')[1].split('```')[0], {})
    assert capsys.readouterr().out.strip() in METADATA.class_names
    properties = onnxruntime.InferenceSession('street.onnx').get_modelmeta().custom_metadata_map
    assert json.loads(properties['input_size']) == list(METADATA.training_resolution)
    assert 'align_corners=True' in properties['upsampling'] and json.loads(properties['std']) == list(METADATA.std)


@pytest.mark.parametrize('full', [False, True])
def test_a_file_for_any_size_reproduces_the_network_at_each_size(
        checkpoint: Path, tmp_path: Path, full: bool, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / 'any.onnx'
    assert export.main([str(path), '--checkpoint', str(checkpoint), '--any-size', *(['--full'] if full else [])]) == 0
    assert 'float32 at any size' in capsys.readouterr().out
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    assert session.get_modelmeta().custom_metadata_map['any_size'] == 'true'
    for height, width in ((64, 64), (65, 131), (160, 96)):
        frame = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
        segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', input_height=height, input_width=width, engine='torch')
        if full:
            labels, = session.run(['labels'], {'rgb': frame})
            assert labels.shape == (height, width) and (labels == segmenter.segment(frame).labels).mean() > 0.999
        else:
            images = np.concatenate([segmenter.preprocess(frame).numpy()] * 2)
            logits, = session.run(['logits'], {'images': images})
            with torch.no_grad():
                expected = load_checkpoint(checkpoint).network(torch.from_numpy(images))
            np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)


def test_int8_does_not_support_any_size(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match='2'):
        export.main([str(tmp_path / 'x.onnx'), '--any-size', '--precision', 'int8', '--calibration', str(tmp_path)])
    assert '--any-size is for float32' in capsys.readouterr().err


def test_other_file_suffixes_are_rejected(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match='2'):
        export.main([str(tmp_path / 'foo.txt')])
    assert 'expected a name that ends in .onnx' in capsys.readouterr().err


def test_int8_file_gives_logits(tmp_path: Path) -> None:
    street = SyntheticStreet(192, 128, seed=1)
    for number in range(8):
        cv2.imwrite(str(tmp_path / f'{number}.png'), street.frame(20 * number).rgb[..., ::-1])
    path = tmp_path / 'int8.onnx'
    # The shipped weights: with random ones, logits are so similar that any rounding changes labels.
    assert export.main([str(path), '--resolution', '192x128', '--precision', 'int8',
                        '--calibration', str(tmp_path)]) == 0
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    logits, = session.run(['logits'], {'images': np.zeros((1, 3, 128, 192), np.float32)})
    assert logits.shape == (1, 11, 16, 24) and logits.dtype == np.float32


def test_a_file_with_other_labels_is_not_kept(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setitem(export_run.MIN_AGREEMENT, 'float32', 1.1)
    assert export.main([str(tmp_path / 'x.onnx'), '--checkpoint', str(checkpoint)]) == 1
    assert 'not written' in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_missing_calibration_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert export.main([str(tmp_path / 'x.onnx'), '--precision', 'int8', '--calibration', str(tmp_path / 'none')]) == 1
    error = capsys.readouterr().err
    assert '--calibration is' in error and 'none' in error and 'no such folder' in error


def test_int8_requires_calibration_frames(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match='2'):
        export.main([str(tmp_path / 'x.onnx'), '--precision', 'int8'])


def test_a_video_network_is_refused_with_the_reason(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save_checkpoint(tmp_path / 'video.safetensors', load_checkpoint(checkpoint).network, replace(METADATA, temporal_frames=3))
    assert export.main([str(tmp_path / 'net.onnx'), '--checkpoint', str(tmp_path / 'video.safetensors')]) == 1
    assert 'attends to 2 earlier frames, which an ONNX file cannot remember' in capsys.readouterr().err
