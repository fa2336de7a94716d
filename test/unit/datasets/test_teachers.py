# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Soft labels from checkpoints and from ONNX files of other networks."""
from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fanet_ros.datasets import DatasetError, teachers
from fanet_ros.datasets.layouts import find_class_map
from fanet_ros.datasets.teachers import (
    CheckpointTeacher,
    OnnxTeacher,
    open_teacher,
    open_teachers,
    predict_soft_labels,
    scaled_sizes,
)
from fanet_ros.inference import ClassMap
from fanet_ros.inference.engines.onnx_model import export_onnx
from fanet_ros.model import Checkpoint, load_checkpoint
from fanet_ros.sources import SyntheticStreet

CPU = torch.device('cpu')
CAMVID = find_class_map('camvid11')
BLACK = np.zeros((32, 64, 3), np.uint8)
TWO = ClassMap('two', ('dark', 'bright'), ((0, 0, 0), (255, 255, 255)))


class Brightness(nn.Module):
    """Logits 0, 4 times the brightness, and `more` zeros; at half size."""

    def __init__(self, more: int = 0) -> None:
        super().__init__()
        self.more = more

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        bright = 4 * nn.functional.avg_pool2d(images, 2).mean(1, keepdim=True)
        return torch.cat([bright * 0, bright] + [bright * 0] * self.more, 1)


class ArgMax(nn.Module):
    """Labels from logits."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.argmax(1, keepdim=True)


def write(path: Path, network: nn.Module, shape: tuple[int, ...] = (1, 3, 32, 64), **options: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')     # about the older exporter, which needs no further package
        torch.onnx.export(network, (torch.zeros(shape),), str(path), opset_version=17, dynamo=False, **options)
    return path


@pytest.mark.parametrize('any_size', [False, True])
def test_an_onnx_file_teaches_what_its_checkpoint_teaches(tmp_path: Path, any_size: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teachers, 'computes_in', lambda *_: False)      # in bfloat16
    export_onnx(load_checkpoint('fanet18_camvid').calibrated_network, tmp_path / 'teacher.onnx', 96, 128, any_size=any_size)
    file, checkpoint = (open_teacher(str(name), classes, CPU) for name, classes in (
        (tmp_path / 'teacher.onnx', 'camvid11'), ('fanet18_camvid', '')))
    assert file.class_names == checkpoint.class_names == CAMVID.names
    assert file.own_size == (None if any_size else (96, 128)) and checkpoint.own_size is None
    rgb = SyntheticStreet(128, 96, seed=3).frame(40).rgb
    sizes = scaled_sizes(96, 128, (1.0, 1.5)) if any_size else [(96, 128)]
    assert sizes[0] == (96, 128)
    soft = [predict_soft_labels([item], rgb, sizes, 24, 32) for item in (file, checkpoint)]
    assert soft[0].shape == (24, 32, 11) and soft[0].dtype == np.uint8
    assert np.abs(soft[0].astype(int) - soft[1]).max() <= 2
    assert np.abs(soft[0].sum(2, dtype=int) - 255).max() <= 6


def test_bfloat16_teaches_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rgb, soft = SyntheticStreet(256, 192, seed=3).frame(40).rgb, []
    for native in (False, True):
        monkeypatch.setattr(teachers, 'computes_in', lambda *_, native=native: native)
        soft.append(predict_soft_labels([open_teacher('fanet18_camvid', '', CPU)], rgb, [(192, 256)], 48, 64).astype(int))
    difference = np.abs(soft[0] - soft[1])
    assert 0 < difference.mean() < 0.5                                  # of 255
    assert (soft[0].argmax(2) == soft[1].argmax(2)).mean() > 0.98


def test_a_fixed_size_is_used_whatever_is_asked_for(tmp_path: Path) -> None:
    teacher = OnnxTeacher(write(tmp_path / 'a.onnx', Brightness()), TWO, CPU)
    rgb = np.zeros((48, 80, 3), np.uint8)
    rgb[:, 40:] = 255
    soft = predict_soft_labels([teacher], rgb, [(480, 640), (64, 64)], 12, 20)
    assert soft.argmax(2).tolist() == [[0] * 10 + [1] * 10] * 12


def test_outputs_beyond_the_classes_are_of_no_class(tmp_path: Path) -> None:
    teacher = OnnxTeacher(write(tmp_path / 'a.onnx', Brightness(more=1)), TWO, CPU)
    gray = np.full((32, 64, 3), 116, np.uint8)         # nearly the mean: all three logits are about 0
    assert predict_soft_labels([teacher], gray, [(32, 64)], 8, 16).sum(2, dtype=int).mean() == pytest.approx(170, abs=12)


def test_teachers_are_averaged_whatever_sizes_they_take(tmp_path: Path) -> None:
    any_size = {'input_names': ['x'], 'dynamic_axes': {'x': {2: 'h', 3: 'w'}}}
    files = [write(tmp_path / 'fixed.onnx', Brightness()), write(tmp_path / 'any.onnx', Brightness(more=1), **any_size)]
    opened = [OnnxTeacher(file, TWO, CPU) for file in files]
    rgb, sizes = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8), [(32, 64), (64, 96)]
    dark, darker = (predict_soft_labels([teacher], rgb, sizes, 16, 32).astype(int) for teacher in opened)
    assert np.abs(dark - darker).max() > 10
    assert np.abs(predict_soft_labels(opened, rgb, sizes, 16, 32) - (dark + darker) / 2).max() <= 1


def test_teachers_that_are_averaged_need_the_same_classes(tmp_path: Path) -> None:
    file = str(write(tmp_path / 'a.onnx', Brightness()))
    first, second = open_teachers([file, 'fanet18_camvid'], 'camvid11', CPU)      # the class map is for the ONNX file
    assert first.class_names == second.class_names
    with pytest.raises(DatasetError, match=r'fanet18_cityscapes has other classes than fanet18_camvid, or in another order'):
        open_teachers(['fanet18_camvid', 'fanet18_cityscapes'], '', CPU)
    with pytest.raises(DatasetError, match='fanet18_camvid contains its classes'):
        open_teachers(['fanet18_camvid'], 'camvid11', CPU)


def test_unusable_teachers_are_rejected(tmp_path: Path) -> None:
    (tmp_path / 'text.onnx').write_text('no network')
    with pytest.raises(DatasetError, match=r'text\.onnx is not a usable ONNX file'):
        OnnxTeacher(tmp_path / 'text.onnx', TWO, CPU)
    with pytest.raises(DatasetError, match=r'missing\.onnx does not exist'):
        OnnxTeacher(tmp_path / 'missing.onnx', TWO, CPU)
    with pytest.raises(DatasetError, match=r'expected one input of float32 images \(1, 3, H, W\)'):
        OnnxTeacher(write(tmp_path / 'gray.onnx', Brightness(), (1, 1, 32, 64)), TWO, CPU)
    with pytest.raises(DatasetError, match=r'expected one input of float32 images \(1, 3, H, W\)'):
        OnnxTeacher(write(tmp_path / 'batch.onnx', Brightness(), (2, 3, 32, 64)), TWO, CPU)
    with pytest.raises(DatasetError, match='does not say what its outputs are: give its class map'):
        open_teacher(str(tmp_path / 'text.onnx'), '', CPU)
    with pytest.raises(DatasetError, match='contains its classes'):
        open_teacher('fanet18_camvid', 'camvid11', CPU)
    start = load_checkpoint('fanet18_camvid')
    with pytest.raises(DatasetError, match='is a video network'):
        CheckpointTeacher(Checkpoint(start.network, replace(start.metadata, temporal_frames=3)), CPU)


def test_a_network_with_other_outputs_is_rejected_when_it_runs(tmp_path: Path) -> None:
    few = OnnxTeacher(write(tmp_path / 'few.onnx', Brightness()), CAMVID, CPU)
    with pytest.raises(DatasetError, match=r'returns float32 \[1, 2, 16, 32\]: expected logits \(1, C, h, w\) of the 11 classes'):
        few.logits(BLACK, 32, 64)
    labels = OnnxTeacher(write(tmp_path / 'labels.onnx', nn.Sequential(Brightness(), ArgMax())), TWO, CPU)
    with pytest.raises(DatasetError, match='returns int64 .* or one output more; export it without its argmax'):
        labels.logits(BLACK, 32, 64)
    too_many = OnnxTeacher(write(tmp_path / 'many.onnx', Brightness(more=2)), TWO, CPU)
    with pytest.raises(DatasetError, match=r'\[1, 4, 16, 32\]: expected logits .* of the 2 classes, or one output more'):
        too_many.logits(BLACK, 32, 64)


def test_probabilities_teach_as_their_logits_do(tmp_path: Path) -> None:
    logits, probabilities = (OnnxTeacher(write(tmp_path / f'{name}.onnx', network), TWO, CPU) for name, network in (
        ('logits', Brightness()), ('probabilities', nn.Sequential(Brightness(), nn.Softmax(1)))))
    rgb = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    soft = [predict_soft_labels([item], rgb, [(32, 64)], 16, 32).astype(int) for item in (logits, probabilities)]
    assert np.abs(soft[0] - soft[1]).max() <= 1 and soft[0].std() > 20


def test_a_network_that_fails_on_a_size_is_named(tmp_path: Path) -> None:
    class Flat(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images[:, :2] + torch.zeros(1, 2, 32, 1)

    path = write(tmp_path / 'flat.onnx', Flat(), input_names=['images'], dynamic_axes={'images': {2: 'height', 3: 'width'}})
    teacher = OnnxTeacher(path, TWO, CPU)
    assert teacher.own_size is None
    assert teacher.logits(BLACK, 32, 96).shape == (2, 2, 32, 96)
    with pytest.raises(DatasetError, match=r'flat\.onnx failed on an image of 64x48 px'):
        teacher.logits(BLACK, 48, 64)
