# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the engine that was asked for; left to itself, the one that is fastest on this machine."""
from __future__ import annotations

import importlib
import logging
import os
import time
from typing import Callable, Optional, Sequence

import numpy as np
import torch

from fanet_ros.choices import ENGINES, ON_DEMAND_ENGINES, PRECISIONS
from fanet_ros.host.other_load import OtherLoad
from fanet_ros.host.processor import processor_name
from fanet_ros.inference.device import CPU_FLAGS, computes_in
from fanet_ros.inference.engines import ncnn_engine, onnx_engine, onnx_gpu_engine, openvino_engine
from fanet_ros.inference.engines.batch_engine import BatchEngine, batch_sizes
from fanet_ros.inference.engines.choices import EngineChoices
from fanet_ros.inference.engines.compiled_engine import CompiledEngine
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.ncnn_engine import NcnnEngine
from fanet_ros.inference.engines.onnx_engine import CalibrationImages, OnnxEngine
from fanet_ros.inference.engines.onnx_gpu_engine import PROVIDERS, OnnxGpuEngine, is_provided
from fanet_ros.inference.engines.openvino_engine import OpenVinoEngine
from fanet_ros.inference.engines.torch_engine import DTYPES, TorchEngine, rewritten_network
from fanet_ros.inference.gpu import GraphPool, synchronize
from fanet_ros.model import FANet
from fanet_ros.model.rewrites import InferenceFANet

# By type of device.
PRECISIONS_OF_ENGINE = {
    'cpu': {'torch': tuple(DTYPES), 'torch_compile': tuple(DTYPES), 'onnxruntime': ('float32', 'int8'),
            'openvino': ('float32', 'bfloat16', 'int8'), 'ncnn': ('float32',)},
    'cuda': {'torch': tuple(DTYPES), 'torch_compile': tuple(DTYPES), 'onnxruntime': ('float32', 'float16'),
             'tensorrt': ('float32', 'float16', 'int8')}}
# Whose cost an image falls with their number on a CPU; PyTorch's does not, and ncnn takes one.
BATCHING_ON_CPU = ('onnxruntime', 'openvino')
MEASURED_RUNS = 5
LOG = logging.getLogger(__name__)


class EngineFactory:
    """Makes engines of one network for any resolution.

    :param engine: one of ENGINES
    :param precision: one of PRECISIONS; auto: float16 on CUDA, float32 on the CPU
    :param calibration: for int8, the frames to calibrate on
    :param needs_video: the engine must be able to attend to earlier frames
    :raises EngineError: unknown names, or a combination that does not exist
    """

    def __init__(self, network: FANet, device: torch.device, engine: str = 'auto', precision: str = 'auto',
                 calibration: Optional[CalibrationImages] = None, *, needs_video: bool = False) -> None:
        for what, value, known in (('engine', engine, ENGINES), ('precision', precision, PRECISIONS)):
            if value not in known:
                raise EngineError(f'{what} {value!r} is unknown: expected one of {", ".join(known)}')
        if precision == 'auto':
            precision = 'float16' if device.type == 'cuda' else 'float32'
        if precision in CPU_FLAGS and not computes_in(precision, device):
            LOG.warning(f'this processor does not compute in {precision}, which makes it many times slower than float32: set '
                        'precision to auto')
        if engine == 'auto':
            self._engines = _candidates(device, precision, needs_video)
        else:
            self._engines = (engine,)
            allowed = PRECISIONS_OF_ENGINE[device.type].get(engine)
            if allowed is None:
                kind = 'a GPU' if engine in PRECISIONS_OF_ENGINE['cuda'] else 'the CPU'
                raise EngineError(
                    f"engine {engine!r} runs on {kind}, device is {device}: set engine to 'auto' or change device")
            if precision not in allowed:
                raise EngineError(f'engine {engine} runs in {", ".join(allowed)}, precision asks for {precision}')
            if engine != 'torch' and needs_video:
                raise EngineError("a video checkpoint needs engine 'torch': set engine to 'auto' or 'torch'")
        self._network, self._device, self._needs_video = network, device, needs_video
        self._precision, self._calibration = precision, calibration
        self._rewritten: Optional[InferenceFANet] = None
        self._pool: Optional[GraphPool] = None

    def build(self, height: int, width: int, batch: int = 1, *, quick: bool = False) -> Engine:
        """An engine for (N, 3, height, width), warmed.

        :param batch: the largest N; every smaller one can be given too
        :param quick: do not wait for what has to be measured or converted first: where the choice is free, PyTorch stands in
            for the fastest engine, and says so by `is_provisional`
        :raises EngineError: it cannot be made
        :raises RuntimeError: it does not run, for want of memory for example
        """
        if quick and not self._is_at_hand(height, width):
            engine = self._torch(height, width)
            engine.is_provisional = True
            return engine       # for images one at a time, whatever `batch`: it is not for long
        single = self._single(height, width)
        if batch == 1 or single.takes_any_number:
            return single
        pays = self._device.type != 'cpu' or single.name in BATCHING_ON_CPU
        larger = [size for size in batch_sizes(batch) if size > 1 and pays]
        return BatchEngine({1: single, **{size: self._engine(single.name, height, width, size) for size in larger}})

    def _is_at_hand(self, height: int, width: int) -> bool:
        """Whether _single() takes no longer than PyTorch would."""
        if len(self._engines) == 1 or 'torch' not in self._engines:
            return True
        chosen = EngineChoices().get(_situation(self._network, self._device, self._precision, self._engines))
        if chosen not in self._engines:
            return False
        if chosen == 'torch':
            return True
        if chosen == 'ncnn':
            return ncnn_engine.is_cached(self._network, height, width)
        if self._device.type == 'cuda':
            return onnx_gpu_engine.is_cached(chosen, self._network, self._precision, height, width)
        # OpenVINO lowers the precision of a float32 file by itself.
        return onnx_engine.is_cached(self._network, 'float32', height, width)

    def _single(self, height: int, width: int) -> Engine:
        """For one image at a time: by the engine that is fastest then."""
        def make(name: str) -> Engine:
            return self._engine(name, height, width, 1)

        if len(self._engines) == 1:
            return make(self._engines[0])
        choices = EngineChoices()
        key = _situation(self._network, self._device, self._precision, self._engines)
        chosen = choices.get(key)
        if chosen not in self._engines:         # none yet, or one that is to be made again
            load = OtherLoad()
            LOG.info('which engine is the fastest here is measured once, which takes up to a minute: '
                     + ', '.join(self._engines))
            engines = _working(self._engines, make)
            chosen = _fastest(engines, torch.zeros(1, 3, height, width, device=self._device))
            choices.put(key, chosen, load.busy_cores())
            return engines[chosen]
        return make(chosen)

    def _engine(self, name: str, height: int, width: int, batch: int) -> Engine:
        if name == 'ncnn':
            return NcnnEngine(self._network, height, width)
        if name == 'torch':
            return self._torch(height, width)
        if name == 'torch_compile':
            return CompiledEngine(self._shared(), self._device, self._precision, height, width, batch, pool=self._pool)
        if self._device.type == 'cuda':
            return OnnxGpuEngine(name, self._network, self._device, self._precision, height, width, self._calibration,
                                 batch)
        kind = OnnxEngine if name == 'onnxruntime' else OpenVinoEngine
        return kind(self._network, self._precision, height, width, self._calibration, batch)

    def _torch(self, height: int, width: int) -> TorchEngine:
        return TorchEngine(self._shared(), self._device, self._precision, height, width, pool=self._pool,
                           video=self._needs_video)

    def _shared(self) -> InferenceFANet:
        """The rewritten network that all engines of PyTorch share, as they do the memory of their graphs."""
        if self._rewritten is None:
            self._rewritten = rewritten_network(self._network, self._device, self._precision)
            self._pool = GraphPool(self._device) if self._device.type == 'cuda' else None
        return self._rewritten


def _working(names: Sequence[str], make: Callable[[str], Engine]) -> dict[str, Engine]:
    """The engines that can be made here.

    :raises EngineError: none can; the message is the first one's
    """
    engines: dict[str, Engine] = {}
    errors: list[EngineError] = []
    for name in names:
        LOG.info(f'preparing {name}, {len(engines) + len(errors) + 1} of {len(names)}')
        try:
            engines[name] = make(name)
        except EngineError as error:
            errors.append(error)
    if not engines:
        raise errors[0]
    return engines


def _fastest(engines: dict[str, Engine], images: torch.Tensor) -> str:
    """Name of the engine with the least median time; they take turns, so that what else runs here disturbs all alike."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(MEASURED_RUNS):
        for name, engine in engines.items():
            start = time.perf_counter()
            engine(images)
            synchronize(images.device)
            times[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    LOG.info('measured: ' + ', '.join(f'{name} {median * 1e3:.0f} ms' for name, median in medians.items()))
    return min(medians, key=medians.__getitem__)


def installed_engines(device: torch.device) -> tuple[str, ...]:
    """Those of ENGINES that run on `device`, whose packages are there, and that are ready in seconds."""
    def is_there(name: str) -> bool:
        if name in PROVIDERS and device.type == 'cuda':
            return is_provided(name)
        return {'torch': lambda: True, 'onnxruntime': onnx_engine.is_available,
                'openvino': openvino_engine.is_available, 'ncnn': ncnn_engine.is_available}[name]()
    return tuple(name for name in PRECISIONS_OF_ENGINE[device.type] if name not in ON_DEMAND_ENGINES and is_there(name))


def _candidates(device: torch.device, precision: str, needs_video: bool) -> tuple[str, ...]:
    """The installed engines that 'auto' chooses from; if there is none, the one whose error says what to install."""
    if needs_video:
        if precision not in DTYPES:
            raise EngineError(f'with a video checkpoint precision is one of {", ".join(DTYPES)}, got {precision}')
        return ('torch',)
    suitable = [name for name, precisions in PRECISIONS_OF_ENGINE[device.type].items() if precision in precisions]
    if not suitable:
        raise EngineError(f'no engine runs in {precision} on {device}')
    there = installed_engines(device)
    return tuple(name for name in suitable if name in there) or (suitable[0],)


def _situation(network: FANet, device: torch.device, precision: str, engines: Sequence[str]) -> str:
    """What the choice is kept for. Not the resolution: it hardly matters, and every change of it would have to wait."""
    versions = ', '.join(f'{name} {_version(name)}' for name in engines)
    return (f'{network.backbone} {network.num_classes} classes {precision}, '
            f'{torch.get_num_threads()} of {os.cpu_count()} '
            f'threads, {processor_name() if device.type == "cpu" else torch.cuda.get_device_name(device)}, {versions}')


def _version(engine: str) -> str:
    return importlib.import_module('onnxruntime' if engine == 'tensorrt' else engine).__version__
