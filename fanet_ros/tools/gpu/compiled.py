"""torch.compile against the graph as it is. A step of its own, and the last: it may compile for a minute and more."""
from __future__ import annotations

import time

import torch

from fanet_ros.inference.engines.torch_engine import DTYPES, TorchEngine, rewritten_network
from fanet_ros.inference.gpu import GraphPool
from fanet_ros.tools.benchmark_setup import random_network
from fanet_ros.tools.gpu.card import median_ms
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings


def run(settings: StepSettings, figures: Figures) -> None:
    """FANet-18 at the largest resolution, by mode of torch.compile; in a rehearsal traced, but not compiled."""
    size, precision = settings.sizes[-1], settings.precision
    images = torch.rand(1, 3, *size, device=settings.device).to(DTYPES[precision]).contiguous(memory_format=torch.channels_last)
    pool = None if settings.is_rehearsal else GraphPool(settings.device)
    plain = random_network('fanet18')
    engine = TorchEngine(rewritten_network(plain, settings.device, precision), settings.device, precision,
                         *size, pool=pool)
    burst = settings.pick(50, 1)
    expected = engine(images).float().clone()
    as_it_is_ms = median_ms(settings, lambda: engine(images), burst=burst)
    for name, options in (({'aot_eager': {'backend': 'aot_eager'}} if settings.is_rehearsal else {
            'reduce-overhead': {'mode': 'reduce-overhead'}, 'max-autotune': {'mode': 'max-autotune'}}).items()):
        torch.compiler.reset()
        network = rewritten_network(plain, settings.device, precision)
        with torch.no_grad():
            network(images)         # makes what is kept for the size, which is no part of what is compiled
        compiled = torch.compile(network, fullgraph=True, dynamic=False, **options)
        start = time.perf_counter()
        # Not inference mode, which graphs of torch.compile do not know how to warm up in.
        with torch.no_grad():
            for _ in range(3):
                logits = compiled(images).float()
            seconds = time.perf_counter() - start
            compiled_ms = median_ms(settings, lambda: compiled(images), burst=burst)
        figures.add('compiled', way=name, height=size[0], width=size[1], ms=compiled_ms, as_it_is_ms=as_it_is_ms,
                    times_as_fast=as_it_is_ms / compiled_ms, compile_s=seconds,
                    error=float((logits - expected).norm() / expected.norm()))
