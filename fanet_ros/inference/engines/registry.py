# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All engines, and which of them match a request."""
from __future__ import annotations

import torch

from fanet_ros.choices import PRECISIONS
from fanet_ros.inference.engines.compiled_engine import CompiledEngine
from fanet_ros.inference.engines.engine import EngineError, VideoEngine
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.ncnn_engine import NcnnEngine
from fanet_ros.inference.engines.onnx_engine import OnnxEngine
from fanet_ros.inference.engines.onnx_gpu_engine import OnnxGpuEngine, TensorRtEngine
from fanet_ros.inference.engines.openvino_engine import OpenVinoEngine
from fanet_ros.inference.engines.torch_engine import TorchEngine

# The only list of all engines, in the order in which they are tried.
ENGINE_KINDS: tuple[type[EngineKind], ...] = (
    TorchEngine,
    CompiledEngine,
    OnnxEngine,
    OnnxGpuEngine,
    TensorRtEngine,
    OpenVinoEngine,
    NcnnEngine,
)


def engine_names() -> tuple[str, ...]:
    """The names that engines are selected by, on any device."""
    return tuple(dict.fromkeys(kind.name for kind in ENGINE_KINDS))


def runtimes() -> tuple[str, ...]:
    """The packages that compute; their versions belong to every measurement of speed."""
    return tuple(dict.fromkeys(kind.runtime for kind in ENGINE_KINDS))


def engines_on(device: torch.device) -> dict[str, type[EngineKind]]:
    """Engines that run on `device`, by name."""
    return {kind.name: kind for kind in ENGINE_KINDS if device.type in kind.devices}


def installed_engines(device: torch.device, *, on_demand: bool = False) -> tuple[str, ...]:
    """Names of the engines that run on `device` and whose packages are installed.

    :param on_demand: include those that take a minute or more to start
    """
    return tuple(name for name, kind in engines_on(device).items()
                 if (on_demand or not kind.is_on_demand) and kind.is_available())


def precisions_of(engine: str, device: torch.device) -> tuple[str, ...]:
    """Precisions that `engine` runs in on `device`; 'auto': those of all installed engines."""
    kinds = engines_on(device)
    names = installed_engines(device) if engine == 'auto' else (engine,)
    return tuple(dict.fromkeys(precision for name in names if name in kinds for precision in kinds[name].precisions))


def engines_for(device: torch.device, engine: str = 'auto', precision: str = 'auto', *,
                needs_video: bool = False) -> dict[str, type[EngineKind]]:
    """Engines that match a request, by name.

    For 'auto', all that can be chosen from; if none is installed, the first suitable one, whose error says what to install. For
    a name, only that engine, installed or not.

    :param needs_video: only engines that can attend to earlier frames
    :raises EngineError: unknown names, or an unsupported combination
    """
    for what, value, known in (('engine', engine, engine_names()), ('precision', precision, PRECISIONS[1:])):
        if value not in ('auto', *known):
            raise EngineError(f'{what} {value!r} is unknown: expected one of {", ".join(("auto", *known))}')
    precision = resolved_precision(precision, device)
    return _any_for(device, precision, needs_video) if engine == 'auto' else _named(engine, device, precision, needs_video)


def require_engine(device: torch.device, engine: str, precision: str = 'auto') -> None:
    """Check that an engine selected by name can run on this machine, before any other work is done; 'auto' always can.

    :raises EngineError: it is not installed, or does not run on the device or in this precision
    """
    if engine != 'auto':
        engines_for(device, engine, precision)[engine].require()


def resolved_precision(precision: str, device: torch.device) -> str:
    """`precision`, with 'auto' replaced by the default of `device`."""
    if precision != 'auto':
        return precision
    return 'float16' if device.type == 'cuda' else 'float32'


def _any_for(device: torch.device, precision: str, needs_video: bool) -> dict[str, type[EngineKind]]:
    there = engines_on(device)
    if needs_video:
        there = {name: kind for name, kind in there.items() if issubclass(kind, VideoEngine)}
        known = [item for kind in there.values() for item in kind.precisions]
        if precision not in known:
            raise EngineError(f'a video checkpoint runs in {", ".join(known)}, but precision is {precision}')
    suitable = {name: kind for name, kind in there.items() if precision in kind.precisions and not kind.is_on_demand}
    if not suitable:
        raise EngineError(f'no engine runs in {precision} on {device}')
    installed = {name: kind for name, kind in suitable.items() if kind.is_available()}
    return installed or dict([next(iter(suitable.items()))])


def _named(engine: str, device: torch.device, precision: str, needs_video: bool) -> dict[str, type[EngineKind]]:
    kind = engines_on(device).get(engine)
    if kind is None:
        runs_on = {item for other in ENGINE_KINDS if other.name == engine for item in other.devices}
        raise EngineError(f"engine {engine!r} runs on {'a GPU' if 'cuda' in runs_on else 'the CPU'}, but device is {device}: set "
                          "engine to 'auto' or change device")
    if precision not in kind.precisions:
        raise EngineError(f'engine {engine} runs in {", ".join(kind.precisions)}, but precision is {precision}')
    if needs_video and not issubclass(kind, VideoEngine):
        able = [repr(name) for name, other in engines_on(device).items() if issubclass(other, VideoEngine)]
        raise EngineError(f"a video checkpoint needs engine {' or '.join(able)}: set engine to 'auto' or {' or '.join(able)}")
    return {engine: kind}
