# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A full disk is reported and leaves the other engines; a damaged file of the cache is created again."""
from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from fanet_ros.inference.engines import EngineError, EngineFactory, cache, registry
from fanet_ros.inference.engines.choices import EngineChoices
from fanet_ros.inference.engines.ncnn_engine import NcnnEngine
from fanet_ros.inference.engines.onnx_engine import OnnxEngine
from fanet_ros.inference.engines.openvino_engine import OpenVinoEngine
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.model import FANet

CPU = torch.device('cpu')
IMAGES = torch.zeros(1, 3, 64, 64)
KINDS = OnnxEngine, OpenVinoEngine, NcnnEngine
MISSING = [pytest.mark.skipif(not kind.is_available(), reason=f'{kind.name} is not installed') for kind in KINDS]


@pytest.fixture(name='network', scope='module')
def network_fixture() -> FANet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FANet(3, 'resnet18', 'paper').eval()


@pytest.fixture(name='folder', autouse=True)
def folder_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return tmp_path / 'fanet_ros'


@contextmanager
def little_space() -> Iterator[None]:
    """Files may not grow beyond a megabyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(('engine', 'length'), [
    pytest.param('onnxruntime', 0, marks=MISSING[0]), pytest.param('ncnn', 1000, marks=[MISSING[2], pytest.mark.slow])])
def test_damaged_files_are_created_again(network: FANet, folder: Path, caplog: pytest.LogCaptureFixture, engine: str,
                                         length: int) -> None:
    factory = EngineFactory(network, CPU, engine)
    expected = factory.build(64, 64)(IMAGES).clone()
    files = {path: path.stat().st_size for path in folder.iterdir()}
    for path in files:
        os.truncate(path, length)
    assert torch.equal(factory.build(64, 64)(IMAGES), expected)
    assert 'is damaged: it is created again' in caplog.text
    assert {path: path.stat().st_size for path in folder.iterdir()} == files


@pytest.mark.parametrize('engine', [pytest.param(kind.name, marks=mark) for kind, mark in zip(KINDS, MISSING)])
def test_a_full_disk_is_reported_with_the_remedy(network: FANet, folder: Path, engine: str) -> None:
    with little_space(), pytest.raises(EngineError, match='cannot be stored in .*fanet_ros .*: free some space, or set XDG_CACHE_'):
        EngineFactory(network, CPU, engine).build(64, 64)
    assert [*folder.iterdir()] == []


@pytest.mark.skipif(not OnnxEngine.is_available(), reason='onnxruntime is not installed')
def test_auto_uses_another_engine_while_the_disk_is_full(network: FANet, monkeypatch: pytest.MonkeyPatch,
                                                         caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (TorchEngine, OnnxEngine))
    factory = EngineFactory(network, CPU)
    EngineChoices().put(factory.situation, 'onnxruntime', 0.0)
    with little_space():
        assert factory.build(64, 64).name == 'torch'
    assert 'onnxruntime cannot be used: the converted network cannot be stored' in caplog.text
    assert 'torch was chosen while others could not be stored in the cache: they will be measured again' in caplog.text


def test_a_file_that_another_process_removed_is_no_failure(folder: Path) -> None:
    cache.touch(cache.cache_directory() / 'removed.onnx')
