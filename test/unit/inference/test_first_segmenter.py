# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The first frames after a start: without torch, with the labels of ONNX Runtime."""
from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fanet_ros.inference import ClassMap, FrameInput, Segmenter, SegmenterOptions
from fanet_ros.inference.first_answer import recall, remember
from fanet_ros.inference.first_segmenter import FirstSegmenter
from fanet_ros.model import CheckpointMetadata, save_checkpoint

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (96, 128),
                              mean=(0.4, 0.45, 0.5), std=(0.2, 0.21, 0.22), temperature=1.7)
OPTIONS = SegmenterOptions(device='cpu', engine='onnxruntime')
NAMES = '''import sys
import numpy as np
from fanet_ros.inference import FrameInput, SegmenterOptions
from fanet_ros.inference.first_segmenter import FirstSegmenter
segmenter = FirstSegmenter.recalled(sys.argv[1], SegmenterOptions(device='cpu', engine='onnxruntime'))
result, = segmenter.segment_batch([FrameInput(np.zeros((96, 128, 3), np.uint8), confidence=True)])
print(result.labels.shape, result.confidence.shape, *sys.modules)
'''


@pytest.fixture(name='filled', scope='module')
def filled_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the cache that `segmenter` has filled."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp('cache')
        patch.setenv('XDG_CACHE_HOME', str(folder))
        yield folder


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    save_checkpoint(path, METADATA.build_network(), METADATA)
    return str(path)


@pytest.fixture(name='segmenter', scope='module')
def segmenter_fixture(filled: Path, checkpoint: str) -> Segmenter:
    """One that has left a first answer behind."""
    segmenter = Segmenter.from_checkpoint(checkpoint, OPTIONS)
    remember(checkpoint, segmenter)
    return segmenter


@pytest.fixture(name='cache')
def cache_fixture(filled: Path, segmenter: Segmenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled cache, to be changed."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return tmp_path / 'fanet_ros'


@pytest.mark.parametrize('size', [(96, 128), (50, 70), (300, 401), (480, 640)])
def test_it_gives_the_labels_of_the_segmenter_that_it_stands_in_for(
        checkpoint: str, segmenter: Segmenter, size: tuple[int, int]) -> None:
    first = FirstSegmenter.recalled(checkpoint, OPTIONS)
    assert first is not None
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    result, = first.segment_batch([FrameInput(rgb, confidence=True)])
    fixed = segmenter.resized(96, 128)          # for frames of any shape
    expected = fixed.segment(rgb, confidence=True)
    assert np.array_equal(result.labels, expected.labels) and len(np.unique(result.labels)) > 1
    assert np.abs(result.confidence.astype(int) - expected.confidence).max() <= 1
    assert first.segment_batch([FrameInput(rgb)])[0].confidence is None
    assert (result.input_height, result.input_width) == (96, 128) and first.frame_sizes == (size,)


def test_it_describes_itself_like_the_segmenter(checkpoint: str, segmenter: Segmenter) -> None:
    first = FirstSegmenter.recalled(checkpoint, OPTIONS)
    for name in ('description', 'checkpoint_name', 'variant', 'class_map', 'engine_description', 'input_sizes', 'converts_colors'):
        assert getattr(first, name) == getattr(segmenter, name)
    assert first.device == str(segmenter.device) and first.is_provisional and not segmenter.is_provisional


def test_frame_sizes_are_kept_in_the_order_of_their_use(checkpoint: str, segmenter: Segmenter) -> None:
    first = FirstSegmenter.recalled(checkpoint, OPTIONS)
    for width in (64, 80, 64, *range(100, 107)):
        first.segment_batch([FrameInput(np.zeros((64, width, 3), np.uint8))])
    assert first.frame_sizes == ((64, 64), *((64, width) for width in range(100, 107)))
    with pytest.raises(ValueError, match='expected a frame'):
        first.segment_batch([FrameInput(np.zeros((4, 4), np.uint8))])


def test_it_runs_without_torch(checkpoint: str, segmenter: Segmenter) -> None:
    done = subprocess.run([sys.executable, '-c', NAMES, checkpoint], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('(96, 128) (96, 128) ')
    assert not {'torch', 'onnx', 'openvino', 'ncnn', 'safetensors'} & set(done.stdout.split())


def test_nothing_is_recalled_for_other_weights_or_options(checkpoint: str, segmenter: Segmenter, tmp_path: Path) -> None:
    assert recall(checkpoint, replace(OPTIONS, quick=True, frame_sizes=((10, 10),), batch=3)) is not None    # same network and size
    for changes in ({'input_height': 64}, {'scale': 0.5}, {'num_threads': 3}, {'engine': 'torch'}, {'precision': 'bfloat16'},
                    {'class_map': ClassMap.of_checkpoint(METADATA)}):
        assert FirstSegmenter.recalled(checkpoint, replace(OPTIONS, **changes)) is None
    other = replace(METADATA, temperature=1.0)
    save_checkpoint(tmp_path / 'other.safetensors', other.build_network(), other)
    assert recall(str(tmp_path / 'other.safetensors'), OPTIONS) is None
    assert FirstSegmenter.recalled(str(tmp_path / 'none.safetensors'), OPTIONS) is None


def test_another_class_map_file_counts_by_its_contents(checkpoint: str, segmenter: Segmenter, tmp_path: Path) -> None:
    path = tmp_path / 'map.yaml'
    path.write_text(replace(ClassMap.of_checkpoint(METADATA), names=('x', 'y', 'z')).to_yaml())
    options = replace(OPTIONS, class_map=str(path))
    remember(checkpoint, Segmenter.from_checkpoint(checkpoint, options))
    assert FirstSegmenter.recalled(checkpoint, options).class_map.names == ('x', 'y', 'z')
    path.write_text(replace(ClassMap.of_checkpoint(METADATA), names=('p', 'q', 'r')).to_yaml())
    assert FirstSegmenter.recalled(checkpoint, options) is None


@pytest.mark.parametrize('damage', ['', '{', '[1]', '{"model": "x"}', 'null'])
def test_a_damaged_file_is_ignored(checkpoint: str, cache: Path, damage: str) -> None:
    assert recall(checkpoint, OPTIONS) is not None
    for path in cache.glob('first_*.json'):
        path.write_text(damage)
    assert recall(checkpoint, OPTIONS) is None


def test_a_network_that_is_gone_or_unreadable_is_ignored(checkpoint: str, cache: Path) -> None:
    paths = list(cache.glob('*.onnx'))          # as converted, and optimised
    for path in paths:
        path.write_bytes(b'no network')
    assert recall(checkpoint, OPTIONS) is not None and FirstSegmenter.recalled(checkpoint, OPTIONS) is None
    for path in paths:
        path.unlink()
    assert recall(checkpoint, OPTIONS) is None


def test_nothing_is_left_behind_without_a_converted_network(
        checkpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    remember(checkpoint, Segmenter.from_checkpoint(checkpoint, replace(OPTIONS, engine='torch')))
    remember(checkpoint, Segmenter.from_checkpoint(checkpoint, replace(OPTIONS, engine='auto', quick=True)))
    assert not list(tmp_path.rglob('first_*'))
