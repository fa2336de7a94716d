# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An engine is one class and one line of the registry; no other code needs to know it."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fanet_ros.choices import ENGINES, PRECISIONS
from fanet_ros.inference.engines import (
    EngineError,
    EngineFactory,
    engines_for,
    installed_engines,
    registry,
    require_engine,
    runtimes,
)
from fanet_ros.inference.engines.batch_engine import BatchEngine
from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.inference.engines.engine_kind import EngineKind, can_import
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.model import FANet

CPU, CUDA = torch.device('cpu'), torch.device('cuda')


class EagerEngine(EngineKind):
    """The plain network: an engine that the package does not have."""

    name, runtime = 'eager', 'torch'
    devices, precisions = ('cpu',), ('float32', 'int8')
    gains_by_batches_on = ('cpu',)

    def __init__(self, network: FANet, precision: str, batch: int) -> None:
        self._network, self.precision, self.batch = network, precision, batch

    @classmethod
    def build(cls, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> EagerEngine:
        return cls(setup.network, setup.precision, batch)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        assert len(images) == self.batch
        with torch.inference_mode():
            return self._network(images)


class MissingEngine(EagerEngine):
    """An engine whose package is not installed."""

    name, packages, precisions = 'missing', ('no_such_package',), ('float16',)


class BrokenEngine(EagerEngine):
    """An engine whose native library fails when it is used."""

    name = 'broken'

    @classmethod
    def build(cls, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> EagerEngine:
        raise RuntimeError('undefined symbol: x')


@pytest.fixture(name='network')
def network_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FANet:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (TorchEngine, EagerEngine, MissingEngine))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FANet(2).eval()


def test_command_line_choices_match_the_registry() -> None:
    assert ENGINES == ('auto', *registry.engine_names())
    assert set(PRECISIONS) == {'auto', *(item for kind in registry.ENGINE_KINDS for item in kind.precisions)}


@pytest.mark.parametrize('kind', registry.ENGINE_KINDS, ids=lambda kind: f'{kind.name}-{"-".join(kind.devices)}')
def test_every_engine_declares_consistent_properties(kind: type[EngineKind]) -> None:
    assert kind.devices and set(kind.devices) <= {'cpu', 'cuda'} and set(kind.gains_by_batches_on) <= set(kind.devices)
    assert kind.precisions and kind.is_available() == (kind.why_missing() == '') and kind.runtime in runtimes()
    if kind.is_available():
        assert kind.version()[0].isdigit()
        kind.require()
    else:
        with pytest.raises(EngineError, match=f"engine '{kind.name}' .*pip install .*, or set engine to 'torch'"):
            kind.require()


def test_an_engine_asked_for_by_name_can_be_checked_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (TorchEngine, EagerEngine, MissingEngine))
    for engine, precision in (('auto', 'float16'), ('torch', 'auto'), ('eager', 'int8')):
        require_engine(CPU, engine, precision)
    for device, engine, precision, reason in (
            (CPU, 'missing', 'float16', 'pip install no_such_package'), (CUDA, 'eager', 'auto', 'runs on the CPU'),
            (CPU, 'eager', 'float16', 'engine eager runs in float32, int8')):
        with pytest.raises(EngineError, match=reason):
            require_engine(device, engine, precision)


@pytest.mark.parametrize('device', [CPU, CUDA])
def test_names_are_unique_per_device(device: torch.device) -> None:
    names = [kind.name for kind in registry.ENGINE_KINDS if device.type in kind.devices]
    assert len(names) == len(set(names)) and sum(registry.engines_on(device)[name].stands_in for name in names) == 1
    assert any(issubclass(kind, VideoEngine) for kind in registry.engines_on(device).values())


def test_new_engine_is_selectable_measured_and_batched(network: FANet) -> None:
    assert installed_engines(CPU) == ('torch', 'eager') and installed_engines(CUDA) == ('torch',)
    images = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(5))
    made = EngineFactory(network, CPU, 'eager').build(64, 96, batch=2)
    assert isinstance(made, BatchEngine) and made.name == 'eager'
    with torch.inference_mode():
        expected = network(images)
    assert float((made(images) - expected).abs().max() / expected.abs().max()) < 1e-4      # a batch is rounded differently
    assert EngineFactory(network, CPU).build(64, 96).name in ('torch', 'eager')
    assert tuple(engines_for(CPU)) == ('torch', 'eager') and tuple(engines_for(CPU, precision='int8')) == ('eager',)


def test_new_engine_is_rejected_outside_its_capabilities(network: FANet) -> None:
    for arguments, reason in (((CUDA, 'eager'), "'eager' runs on the CPU"),
                              ((CPU, 'eager', 'bfloat16'), 'eager runs in float32, int8')):
        with pytest.raises(EngineError, match=reason):
            engines_for(*arguments)
    with pytest.raises(EngineError, match="a video checkpoint needs engine 'torch': set engine to 'auto' or 'torch'"):
        engines_for(CPU, 'eager', needs_video=True)
    with pytest.raises(EngineError, match="engine 'missing' needs packages that are not installed: pip install no_such_package"):
        EngineFactory(network, CPU, 'missing', 'float16').build(64, 96)
    with pytest.raises(EngineError, match="'onnxruntime' is unknown: expected one of auto, torch, eager, missing"):
        engines_for(CPU, 'onnxruntime')


def test_an_engine_that_fails_does_not_keep_others_from_being_chosen(
        network: FANet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (BrokenEngine, EagerEngine))
    assert EngineFactory(network, CPU).build(64, 64).name == 'eager'
    assert 'broken failed: RuntimeError: undefined symbol: x' in caplog.text
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (BrokenEngine, MissingEngine))
    with pytest.raises(RuntimeError, match='undefined symbol'):
        EngineFactory(network, CPU, 'broken').build(64, 64)


def test_a_package_that_fails_to_load_counts_as_missing(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / 'fails_to_load.py').write_text("raise OSError('libx.so: no such file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert not can_import('fails_to_load')
    assert 'fails_to_load is installed but cannot be used: OSError: libx.so: no such file' in caplog.text
