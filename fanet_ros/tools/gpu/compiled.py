# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare torch.compile with the CUDA graph of the engine `torch`. A separate, last step: compiling may take over a minute."""
from __future__ import annotations

import time
from functools import partial
from typing import Callable

import torch

from fanet_ros.inference.engines.compiled_engine import CompiledEngine
from fanet_ros.inference.engines.network_setup import DTYPES, rewritten_network
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.inference.gpu import GraphPool
from fanet_ros.tools.benchmark.setup import random_network
from fanet_ros.tools.gpu.card import median_ms
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings

ENGINE = 'as the engine torch_compile'      # its kernels in a graph of ours
MODES = ('reduce-overhead', 'max-autotune')     # fastest to compile first


def run(settings: StepSettings, figures: Figures) -> None:
    """FANet-18 at the largest resolution, by mode of torch.compile; a rehearsal traces without compiling."""
    size, precision = settings.sizes[-1], settings.precision
    images = torch.rand(1, 3, *size, device=settings.device).to(DTYPES[precision]).contiguous(memory_format=torch.channels_last)
    pool = None if settings.is_rehearsal else GraphPool(settings.device)
    plain = random_network('fanet18')
    engine = TorchEngine(rewritten_network(plain, settings.device, precision), settings.device, precision, *size, pool=pool)
    expected = engine(images).float().clone()
    for name in (ENGINE,) if settings.is_rehearsal else (ENGINE, *MODES):
        torch.compiler.reset()
        network = rewritten_network(plain, settings.device, precision)
        start = time.perf_counter()
        with torch.no_grad():       # not inference mode: torch.compile's own graphs cannot be warmed up in it
            if name == ENGINE:
                compiled: Callable[..., torch.Tensor] = CompiledEngine(
                    network, settings.device, precision, *size, pool=pool,
                    backend='aot_eager' if settings.is_rehearsal else 'inductor')
            else:
                network(images)     # fills the caches for this size, which are not part of the compiled code
                compiled = torch.compile(network, fullgraph=True, dynamic=False, mode=name)
            for _ in range(3):
                logits = compiled(images).float()
            seconds = time.perf_counter() - start
            # The baseline is measured before and after, to cancel drift.
            before = median_ms(settings, lambda: engine(images), burst=settings.pick(50, 1))
            compiled_ms = median_ms(settings, partial(compiled, images), burst=settings.pick(50, 1))
            as_it_is_ms = (before + median_ms(settings, lambda: engine(images), burst=settings.pick(50, 1))) / 2
        figures.add('compiled', way=name, height=size[0], width=size[1], ms=compiled_ms, as_it_is_ms=as_it_is_ms,
                    times_as_fast=as_it_is_ms / compiled_ms, compile_s=seconds,
                    error=float((logits - expected).norm() / expected.norm()))
