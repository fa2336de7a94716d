# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark suites: one function per suite, each returns results ready for JSON."""
from __future__ import annotations

import copy
import time
from typing import Any, Callable, Optional

import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.inference.device import in_memory_format
from fanet_ros.inference.engines import Engine
from fanet_ros.inference.engines.network_setup import DTYPES
from fanet_ros.inference.gpu import convolutions_searched
from fanet_ros.inference.postprocess import labels_and_confidence
from fanet_ros.model.attention import QUERY_CHANNELS, fast_attention
from fanet_ros.size_text import size_text
from fanet_ros.tools.benchmark.setup import BenchmarkSettings, Size, build_engine, random_network, scratch_cache
from fanet_ros.tools.benchmark.timing import Case, growth_exponent

Result = dict[str, Any]
ATTENTION_CHANNELS = 64             # of FANet-18's finest level, where attention would cost most


def network_suite(settings: BenchmarkSettings, *, labels: bool = False) -> list[Result]:
    """Time the network alone, by variant and size.

    Follows the authors' protocol: logits at 1/8 resolution of a random input. With `labels`, until full-resolution labels are
    on the host; for the authors' code that means upsampling the logits, then argmax.
    """
    results = []
    for variant in settings.variants:
        for size in settings.sizes:
            images = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
            with scratch_cache():
                cases = _network_cases(settings, variant, size, images, labels)
                timings = settings.take_turns(cases)
            results.append({'suite': 'labels' if labels else 'network', 'variant': variant, 'height': size[0],
                            'width': size[1], 'rows': [timing.as_dict() for timing in timings]})
    return results


def _network_cases(settings: BenchmarkSettings, variant: str, size: Size, images: torch.Tensor,
                   labels: bool) -> list[Case]:
    ours = random_network(variant)
    finish: Callable[[torch.Tensor], Any] = (
        (lambda logits: labels_and_confidence(logits, size, False)) if labels else (lambda logits: logits))
    naive: Callable[[torch.Tensor], Any] = (
        (lambda logits: _naive_labels(logits, size)) if labels else (lambda logits: logits))
    cases = []
    authors = settings.authors_network(variant)
    if authors is not None:
        cases.append(_eager("authors' code, eager float32", authors, images, naive, settings))
        best = 'float16' if settings.device.type == 'cuda' else 'float32'       # fastest precision without changing the code
        tuned = in_memory_format(copy.deepcopy(authors).to(DTYPES[best]), torch.channels_last)

        def searched(images: torch.Tensor) -> torch.Tensor:
            with convolutions_searched():
                return tuned(images)
        cases.append(_eager(f"authors' code, eager {best}, channels last", searched,
                            _channels_last(images.to(DTYPES[best])), naive, settings))
    cases.append(_eager('unrewritten, eager float32', copy.deepcopy(ours).to(settings.device), images, naive, settings))
    for engine_name, precision in settings.combinations():
        engine = build_engine(settings, ours, engine_name, precision, size)
        cases.append(_engine(engine, images, finish, settings))
    return cases


def _eager(name: str, network: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, finish: Callable[[torch.Tensor], Any],
           settings: BenchmarkSettings) -> Case:
    images = images.to(settings.device)

    def run() -> None:
        with torch.inference_mode():
            finish(network(images))
            settings.synchronize()
    return Case(name, run, frames=len(images))


def _engine(engine: Engine, images: torch.Tensor, finish: Callable[[torch.Tensor], Any],
            settings: BenchmarkSettings) -> Case:
    images = images.to(settings.device).contiguous(memory_format=engine.memory_format)

    def run() -> None:
        finish(engine(images))
        settings.synchronize()
    return Case(engine.description, run, details={'engine': engine.name, 'precision': engine.precision})


def _channels_last(images: torch.Tensor) -> torch.Tensor:
    """The memory format that preprocessing produces."""
    return images.contiguous(memory_format=torch.channels_last)


def _naive_labels(logits: torch.Tensor, size: Size) -> np.ndarray:
    """The textbook method: (1, C, h, w) -> (H, W) uint8 through a C x H x W array."""
    full = F.interpolate(logits, size, mode='bilinear', align_corners=True)
    return full.argmax(1)[0].to(torch.uint8).cpu().numpy()


def pixels_suite(settings: BenchmarkSettings) -> list[Result]:
    """Time per frame as a function of its pixels, by engine, with the exponent of the growth; all sizes interleaved."""
    results = []
    network = random_network(settings.variants[0])
    for engine_name, precision in settings.combinations():
        cases = []
        with scratch_cache():
            for size in settings.sizes:
                engine = build_engine(settings, network, engine_name, precision, size)
                row = _engine(engine, torch.rand(1, 3, *size), lambda logits: logits, settings)
                cases.append(Case(size_text(*size), row.run, details={'pixels': size[0] * size[1]}))
            timings = settings.take_turns(cases)
        results.append({
            'suite': 'pixels', 'variant': settings.variants[0], 'engine': f'{engine_name} {precision}',
            'exponent': growth_exponent([size[0] * size[1] for size in settings.sizes], [t.median_ms for t in timings])
            if len(settings.sizes) > 1 else None,
            'rows': [timing.as_dict() for timing in timings]})
    return results


def attention_suite(settings: BenchmarkSettings) -> list[Result]:
    """Fast attention against plain self-attention at the finest level (1/8) of each size.

    Self-attention is torch's fused softmax(Q^T K) V, which never writes the n x n matrix: the strongest baseline available.
    """
    fast, plain = [], []
    positions = [-(-height // 8) * -(-width // 8) for height, width in settings.sizes]
    for count in positions:
        query, key = (torch.randn(1, QUERY_CHANNELS, count, device=settings.device) for _ in range(2))
        value = torch.randn(1, ATTENTION_CHANNELS, count, device=settings.device)
        rows = [tensor.transpose(1, 2)[:, None].contiguous() for tensor in (query, key, value)]     # (1, 1, n, c)

        def run_fast(parts: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = (query, key, value)) -> None:
            with torch.inference_mode():
                fast_attention(*parts, scale=1 / parts[0].shape[-1])
                settings.synchronize()

        def run_plain(parts: list[torch.Tensor] = rows) -> None:
            with torch.inference_mode():
                F.scaled_dot_product_attention(parts[0], parts[1], parts[2])
                settings.synchronize()
        fast.append(Case(f'fast attention, n = {count}', run_fast, details={'positions': count}))
        plain.append(Case(f'self-attention, n = {count}', run_plain, details={'positions': count}))
    results = []
    for name, cases in (('fast attention', fast), ('self-attention', plain)):
        timings = settings.take_turns(cases)
        results.append({
            'suite': 'attention', 'kind': name,
            'exponent': growth_exponent(positions, [t.median_ms for t in timings]) if len(positions) > 1 else None,
            'rows': [timing.as_dict() for timing in timings]})
    return results


def batch_suite(settings: BenchmarkSettings) -> list[Result]:
    """Time per frame when several go through the network together, by engine; ratios are relative to the first batch size."""
    results = []
    size = settings.sizes[0]
    network = random_network(settings.variants[0])
    for engine, precision in settings.combinations():
        with scratch_cache():
            timings = settings.take_turns([
                _batch(build_engine(settings, network, engine, precision, size, batch), batch, size, settings)
                for batch in settings.batches])
        results.append({'suite': 'batch', 'variant': settings.variants[0], 'engine': f'{engine} {precision}',
                        'height': size[0], 'width': size[1], 'rows': [timing.as_dict() for timing in timings]})
    return results


def _batch(engine: Engine, batch: int, size: Size, settings: BenchmarkSettings) -> Case:
    images = torch.rand(batch, 3, *size, device=settings.device).contiguous(memory_format=torch.channels_last)

    def run() -> None:
        engine(images)
        settings.synchronize()
    return Case(f'batch {batch}', run, frames=batch, details={'batch': batch})


def cpu_share(work: Callable[[], Any]) -> tuple[Any, Optional[float]]:
    """Run `work`; returns its result and the average number of CPU cores it kept busy (None: too short to tell)."""
    start, cpu_start = time.perf_counter(), time.process_time()
    value = work()
    wall = time.perf_counter() - start
    return value, (time.process_time() - cpu_start) / wall if wall > 0 else None
