# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ncnn: the rewritten network for one resolution in float32 or, on Arm, float16, with Winograd convolutions."""
from __future__ import annotations

import io
import platform
import subprocess
import warnings
from pathlib import Path
from typing import Optional

import torch

from fanet_ros.inference.engines.cache import cache_directory, touch
from fanet_ros.inference.engines.cached_files import check_space, converting, keep, loaded
from fanet_ros.inference.engines.engine import EngineError
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.engines.onnx_model import ONNX_PACKAGES, Part, export_function
from fanet_ros.inference.engines.onnx_session import session
from fanet_ros.model import FANet
from fanet_ros.model.rewrites import InferenceFANet

FORMAT = 2      # of the cached files: increment it when the conversion changes
# ncnn has fast kernels for a 7x7 convolution of three channels on Arm, but not on x86.
DIVIDES = platform.machine() in ('x86_64', 'AMD64')


class NcnnEngine(EngineKind):
    """An ncnn network on the CPU, converted once by pnnx and cached by weights and resolution.

    Its 3x3 convolutions of stride 1 take a quarter of the multiplications (Winograd's F(4x4, 3x3): Lavin and Gray, arXiv
    1509.09308), so the head is not rewritten: commuting it with the upsampling would save less than it costs. On x86 the first
    layers run in ONNX Runtime, which takes half as long for them. In float16 it computes in it only on Arm processors that can;
    others store in it what they compute in float32.

    :raises EngineError: the conversion failed
    """

    name = runtime = 'ncnn'
    packages = ('ncnn', 'pnnx', *(ONNX_PACKAGES if DIVIDES else ()))
    devices, precisions = ('cpu',), ('float32', 'float16')
    is_recommended = True

    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        self.precision = setup.precision
        import ncnn
        self._ncnn = ncnn
        loaded(lambda: _converted(setup, height, width), self._load, lambda *_: False)
        self(torch.zeros(1, 3, height, width))

    def _load(self, graph: Path, weights: Path, stem: Optional[Path] = None) -> None:
        self._net = self._ncnn.Net()
        options = self._net.opt
        options.num_threads = torch.get_num_threads()
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = self.precision == 'float16'
        options.use_bf16_storage = options.use_vulkan_compute = False
        if self._net.load_param(str(graph)) or self._net.load_model(str(weights)):
            raise EngineError(f"ncnn cannot load {graph}: set engine to 'torch'")
        self._stem = None if stem is None else session(stem, torch.get_num_threads())

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        return all(path.is_file() for path in _paths(setup, height, width))

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        pixels = images[:1].contiguous().numpy()
        given = pixels[0] if self._stem is None else self._stem.run(None, {'images': pixels})[0][0]
        extractor = self._net.create_extractor()
        extractor.input('in0', self._ncnn.Mat(given))       # ncnn.Mat does not keep `given` alive
        failed, logits = extractor.extract('out0')
        if failed:
            raise RuntimeError('ncnn could not run the network, perhaps for lack of memory')
        return torch.from_numpy(logits.numpy().copy())[None]


def _paths(setup: NetworkSetup, height: int, width: int) -> list[Path]:
    """ncnn's graph and weights, and the ONNX file of the first layers if they run elsewhere."""
    name = f'{setup.digest}_{height}x{width}_ncnn_{FORMAT}'
    return [cache_directory() / f'{name}.{suffix}' for suffix in ('param', 'bin', *(['onnx'] if DIVIDES else []))]


def _converted(setup: NetworkSetup, height: int, width: int) -> list[Path]:
    """The files of _paths(), converted if they are not cached yet."""
    paths = _paths(setup, height, width)
    if not all(path.is_file() for path in paths):
        with converting() as scratch:
            _convert(setup.network, scratch, height, width)
            for path in reversed(paths):
                keep(scratch / f'network.ncnn.{path.suffix[1:]}', path)
    touch(*paths)
    return paths


def _convert(network: FANet, folder: Path, height: int, width: int) -> None:
    import pnnx
    module = InferenceFANet(network, commute_head=False).eval().cpu().float()
    given, part = torch.zeros(1, 3, height, width), 'forward'
    if DIVIDES:
        export_function(module, given, folder / 'network.ncnn.onnx', 'stem')
        given, part = module.stem(given), 'after_stem'
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')         # about tracing: sizes become constants, as they should here
        traced = io.BytesIO()       # written to a file directly, it would end the process if the disk is full
        torch.jit.save(torch.jit.trace(Part(module, part), given, check_trace=False), traced)
    (folder / 'network.pt').write_bytes(traced.getvalue())
    shape = ','.join(map(str, given.shape))
    done = subprocess.run(
        [pnnx.EXEC_PATH, 'network.pt', f'inputshape=[{shape}]', 'fp16=0'], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check_space(folder)
    if done.returncode or not (folder / 'network.ncnn.param').is_file():
        last = (done.stdout.strip().splitlines() or ['no message'])[-1]
        raise EngineError(f"pnnx could not convert the network for ncnn ({last}): set engine to 'torch'")
