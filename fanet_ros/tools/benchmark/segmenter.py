# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark of the whole Segmenter, as the node calls it: stages, latency, agreement with float32, accuracy."""
from __future__ import annotations

import resource
from dataclasses import replace
from typing import Any

import numpy as np

from fanet_ros.datasets import Sample
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.inference import Segmenter, SegmenterOptions
from fanet_ros.model import load_checkpoint
from fanet_ros.tools.benchmark.setup import BenchmarkSettings, calibration_folder, load_frames
from fanet_ros.tools.benchmark.suites import cpu_share
from fanet_ros.tools.benchmark.timing import Case

STAGES = ('preprocess_ms', 'network_ms', 'postprocess_ms')


def segmenter_suite(settings: BenchmarkSettings) -> list[dict[str, Any]]:
    """Time from RGB frame to labels of the same size, for each resolution; the baseline is PyTorch in float32.

    Every frame is one round, so that latencies come from different frames, as on a robot.
    """
    num_classes = load_checkpoint(settings.checkpoint).metadata.num_classes
    samples = load_frames(settings, num_classes)
    results = []
    with calibration_folder(settings) as calibration:
        for height, width in settings.sizes:
            names = [('torch', 'float32')] + [names for names in settings.combinations() if names != ('torch', 'float32')]
            options = SegmenterOptions(str(settings.device), input_height=height, input_width=width, calibration_images=calibration)
            segmenters = [Segmenter.from_checkpoint(settings.checkpoint, replace(options, engine=engine, precision=precision))
                          for engine, precision in names]
            results.append({'suite': 'segmenter', 'checkpoint': settings.checkpoint, 'height': height, 'width': width,
                            'frames': len(samples), 'rows': _compare(segmenters, samples, settings)})
    return results


def _compare(segmenters: list[Segmenter], samples: list[Sample], settings: BenchmarkSettings) -> list[dict[str, Any]]:
    runs = [_Run(segmenter, samples) for segmenter in segmenters]
    timings = settings.take_turns([Case(run.segmenter.engine_description, run.next_frame) for run in runs],
                                  max(settings.rounds, len(samples)))
    reference = [segmenters[0].segment(sample.rgb).labels for sample in samples]
    rows = []
    for run, timing in zip(runs, timings):
        p50, p95, p99 = np.percentile(timing.times_ms, (50, 95, 99))
        rows.append({
            **timing.as_dict(), 'p50_ms': float(p50), 'p95_ms': float(p95), 'p99_ms': float(p99),
            'jitter_ms': float(np.std(timing.times_ms)), 'latencies_ms': list(timing.times_ms),
            'stages_ms': {stage: float(np.median([getattr(times, stage) for times in run.times])) for stage in STAGES},
            **_quality(run.segmenter, samples, reference)})
    return rows


def _quality(segmenter: Segmenter, samples: list[Sample], reference: list[np.ndarray]) -> dict[str, Any]:
    labels, cores = cpu_share(lambda: [segmenter.segment(sample.rgb).labels for sample in samples])
    confusion = ConfusionMatrix(len(segmenter.class_map))
    for sample, predicted in zip(samples, labels):
        confusion.add(sample.labels, predicted)
    return {
        'agreement': float(np.mean([(one == other).mean() for one, other in zip(labels, reference)])),
        'mean_iou': confusion.mean_iou() if confusion.counts.any() else None,
        'busy_cores': cores, 'peak_memory_mib': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


class _Run:
    """Cycles one segmenter through the frames and records the times of the stages."""

    def __init__(self, segmenter: Segmenter, samples: list[Sample]) -> None:
        self.segmenter, self._samples, self._next = segmenter, samples, 0
        self.times: list[Any] = []

    def next_frame(self) -> None:
        sample = self._samples[self._next % len(self._samples)]
        self._next += 1
        self.times.append(self.segmenter.segment(sample.rgb).times)
