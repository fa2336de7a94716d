# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""torch.compile against the graph as it is. A step of its own, and the last: it may compile for a minute and more."""
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
MODES = ('reduce-overhead', 'max-autotune')     # in the order of how long they compile


def run(settings: StepSettings, figures: Figures) -> None:
    """FANet-18 at the largest resolution, by mode of torch.compile; in a rehearsal traced, but not compiled."""
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
        with torch.no_grad():       # not inference mode, which torch.compile's own graphs cannot be warmed up in
            if name == ENGINE:
                compiled: Callable[..., torch.Tensor] = CompiledEngine(
                    network, settings.device, precision, *size, pool=pool,
                    backend='aot_eager' if settings.is_rehearsal else 'inductor')
            else:
                network(images)     # makes what is kept for the size, which is no part of what is compiled
                compiled = torch.compile(network, fullgraph=True, dynamic=False, mode=name)
            for _ in range(3):
                logits = compiled(images).float()
            seconds = time.perf_counter() - start
            # Before and after: what is compared was measured beside it.
            before = median_ms(settings, lambda: engine(images), burst=settings.pick(50, 1))
            compiled_ms = median_ms(settings, partial(compiled, images), burst=settings.pick(50, 1))
            as_it_is_ms = (before + median_ms(settings, lambda: engine(images), burst=settings.pick(50, 1))) / 2
        figures.add('compiled', way=name, height=size[0], width=size[1], ms=compiled_ms, as_it_is_ms=as_it_is_ms,
                    times_as_fast=as_it_is_ms / compiled_ms, compile_s=seconds,
                    error=float((logits - expected).norm() / expected.norm()))
