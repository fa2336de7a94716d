# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ncnn: the rewritten network for one resolution in float32, with Winograd convolutions, on x86 and Arm processors."""
from __future__ import annotations

import os
import subprocess
import tempfile
import warnings
from pathlib import Path

import torch

from fanet_ros.inference.engines.cache import CONVERSION, cache_directory, touch
from fanet_ros.inference.engines.engine import EngineError
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.model import FANet
from fanet_ros.model.rewrites import InferenceFANet

FORMAT = 1      # of the cached files: increment it when the conversion changes


class NcnnEngine(EngineKind):
    """An ncnn network on the CPU, converted once by pnnx and cached by weights and resolution.

    Its 3x3 convolutions of stride 1 take a quarter of the multiplications (Winograd's F(4x4, 3x3): Lavin and Gray, arXiv
    1509.09308), so the head is not rewritten: commuting it with the upsampling would save less than it costs.

    :raises EngineError: the conversion failed
    """

    name = runtime = 'ncnn'
    packages = ('ncnn', 'pnnx')
    devices, precisions = ('cpu',), ('float32',)
    is_recommended = True
    precision = 'float32'

    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        graph, weights = _converted(setup, height, width)
        import ncnn
        self._ncnn, self._net = ncnn, ncnn.Net()
        options = self._net.opt
        options.num_threads = torch.get_num_threads()
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = options.use_vulkan_compute = False
        if self._net.load_param(str(graph)) or self._net.load_model(str(weights)):
            raise EngineError(f'ncnn cannot load {graph}: delete it, it will be created again')
        self(torch.zeros(1, 3, height, width))

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        return all(path.is_file() for path in _paths(setup, height, width))

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        extractor = self._net.create_extractor()
        pixels = images[0].contiguous().numpy()     # a variable of its own: ncnn.Mat does not keep it alive
        extractor.input('in0', self._ncnn.Mat(pixels))
        failed, logits = extractor.extract('out0')
        if failed:
            raise RuntimeError('ncnn could not run the network, perhaps for lack of memory')
        return torch.from_numpy(logits.numpy().copy())[None]


def _paths(setup: NetworkSetup, height: int, width: int) -> tuple[Path, Path]:
    name = f'{setup.digest}_{height}x{width}_ncnn_{FORMAT}'
    return cache_directory() / f'{name}.param', cache_directory() / f'{name}.bin'


def _converted(setup: NetworkSetup, height: int, width: int) -> tuple[Path, Path]:
    """ncnn's graph and weights, converted if they are not cached yet."""
    graph, weights = _paths(setup, height, width)
    if not (graph.is_file() and weights.is_file()):
        with CONVERSION, tempfile.TemporaryDirectory(dir=graph.parent) as scratch:
            _convert(setup.network, Path(scratch), height, width)
            os.replace(Path(scratch) / 'network.ncnn.bin', weights)
            os.replace(Path(scratch) / 'network.ncnn.param', graph)     # last: if it exists, both do
    touch(graph, weights)
    return graph, weights


def _convert(network: FANet, folder: Path, height: int, width: int) -> None:
    import pnnx
    module = InferenceFANet(network, commute_head=False).eval().cpu().float()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')         # about tracing: sizes become constants, as they should here
        torch.jit.trace(module, torch.zeros(1, 3, height, width), check_trace=False).save(str(folder / 'network.pt'))
    done = subprocess.run(
        [pnnx.EXEC_PATH, 'network.pt', f'inputshape=[1,3,{height},{width}]', 'fp16=0'], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode or not (folder / 'network.ncnn.param').is_file():
        last = (done.stdout.strip().splitlines() or ['no message'])[-1]
        raise EngineError(f"pnnx could not convert the network for ncnn ({last}): set engine to 'torch'")
