# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark the Segmenter as the node calls it, from 8-bit frame to labels of its size: one by one, as a stream, in batches."""
from __future__ import annotations

import time
from itertools import cycle, islice
from typing import Any, Sequence

import numpy as np

from fanet_ros.inference import FrameInput, OverlayColors, Segmenter, SegmenterOptions
from fanet_ros.inference.segmentation import StageTimes
from fanet_ros.tools.benchmark.segmenter import STAGES
from fanet_ros.tools.benchmark.suites import batch_suite, pixels_suite
from fanet_ros.tools.gpu.authors import result_as_figure
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings

DIFFERENT_FRAMES = 6
BATCHES = (1, 2, 4, 8)


def run(settings: StepSettings, figures: Figures) -> None:
    """Latency, frames per second, cost in a batch, and growth with the pixels; stage times come from device events."""
    path, weights = settings.checkpoint('fanet18_camvid')
    for size in reversed(settings.sizes):
        frames = settings.frames(size, DIFFERENT_FRAMES)
        start = time.perf_counter()
        options = SegmenterOptions(str(settings.device), 'torch', 'auto', *size, batch=max(BATCHES))
        segmenter = Segmenter.from_checkpoint(path, options)
        what = {'checkpoint': 'fanet18_camvid', 'weights': weights, 'height': size[0], 'width': size[1],
                'engine': segmenter.engine_description}
        figures.add('start', **what, seconds=time.perf_counter() - start)
        _one_by_one(settings, figures, segmenter, frames, what)
        _stream(settings, figures, segmenter, frames, what)
        _batches(settings, figures, segmenter, frames, what)
    for result in batch_suite(settings.benchmark(sizes=settings.sizes[-1:], batches=BATCHES)):
        figures.add(**result_as_figure(result))
    sizes = ((64, 96), (64, 192), (128, 192)) if settings.is_rehearsal else (
        (256, 512), (512, 1024), (768, 1536), (1024, 2048), (1536, 3072), (2048, 4096))
    for result in pixels_suite(settings.benchmark(sizes=sizes)):
        figures.add(**result_as_figure(result))


def _one_by_one(settings: StepSettings, figures: Figures, segmenter: Segmenter, frames: Sequence[np.ndarray],
                what: dict[str, Any]) -> None:
    """Latency of single frames: labels only, then with the other outputs that the node can request."""
    overlay = OverlayColors(segmenter.class_map.palette(), 0.5)
    for name, outputs in (('labels', {}), ('labels and confidence', {'confidence': True}),
                          ('labels, confidence and overlay', {'confidence': True, 'overlay': overlay})):
        inputs = [FrameInput(rgb, **outputs) for rgb in frames]
        _measured(segmenter, inputs, settings.pick(20, 1))
        times_ms, stages = _measured(segmenter, inputs, settings.pick(200, 2))
        p50, p95, p99 = (float(value) for value in np.percentile(times_ms, (50, 95, 99)))
        figures.add('one by one', **what, wanted=name, frames=len(times_ms), p50_ms=p50, p95_ms=p95, p99_ms=p99,
                    max_ms=max(times_ms), stages_ms=_medians(stages))


def _measured(segmenter: Segmenter, inputs: Sequence[FrameInput], count: int) -> tuple[list[float], list[StageTimes]]:
    """Latencies [ms] and stage times. Results are dropped, as in the node: keeping them would cost memory and page clearing."""
    times_ms, stages = [], []
    for frame in islice(cycle(inputs), count):
        start = time.perf_counter()
        found = segmenter.segment_batch([frame])
        times_ms.append((time.perf_counter() - start) * 1e3)
        stages.append(found[0].times)
    return times_ms, stages


def _stream(settings: StepSettings, figures: Figures, segmenter: Segmenter, frames: Sequence[np.ndarray],
            what: dict[str, Any]) -> None:
    """Throughput with overlapping frames, as from a recording."""
    count = settings.pick(300, 3)
    inputs = [FrameInput(rgb) for rgb in frames]
    for _ in segmenter.segment_stream(islice(cycle(inputs), settings.pick(20, 1))):
        pass
    start = time.perf_counter()
    stages = [found.times for found in segmenter.segment_stream(islice(cycle(inputs), count)) if found is not None]
    seconds = time.perf_counter() - start
    figures.add('stream', **what, frames=count, frames_per_s=count / seconds, ms_per_frame=seconds / count * 1e3,
                stages_ms=_medians(stages))


def _batches(settings: StepSettings, figures: Figures, segmenter: Segmenter, frames: Sequence[np.ndarray],
             what: dict[str, Any]) -> None:
    """Cost per frame when frames of several cameras are segmented together."""
    alone_ms = 0.0
    for batch in BATCHES:
        inputs = [FrameInput(rgb) for rgb in islice(cycle(frames), batch)]
        start = time.perf_counter()
        segmenter.segment_batch(inputs)
        first_s = time.perf_counter() - start       # includes the set-up for this batch size
        times_ms, stages = [], []
        for _ in range(settings.pick(60, 1)):
            start = time.perf_counter()
            found = segmenter.segment_batch(inputs)
            times_ms.append((time.perf_counter() - start) * 1e3 / batch)
            stages.append(found[0].times)
        p50 = float(np.median(times_ms))
        alone_ms = alone_ms or p50
        figures.add('batch of frames', **what, batch=batch, p50_ms_per_frame=p50, cost_against_one=p50 / alone_ms,
                    first_s=first_s, stages_ms=_medians(stages))


def _medians(stages: Sequence[StageTimes]) -> dict[str, float]:
    """Median time of each stage."""
    return {stage: float(np.median([getattr(times, stage) for times in stages])) for stage in STAGES}
