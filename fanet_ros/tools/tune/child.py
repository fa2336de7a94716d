# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure one candidate in its own process: python -m fanet_ros.tools.tune.child REQUEST.json ANSWER.json

One process per candidate, so that memory can be attributed to it and a crash does not affect the others.
"""
from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Iterator, Optional

import numpy as np
import torch

from fanet_ros.datasets.frame_set import FrameSet, open_frames, read_labels, write_png
from fanet_ros.error_text import error_text
from fanet_ros.evaluation.agreement import AgreementCounter
from fanet_ros.inference import Segmenter, SegmenterOptions, release_memory

WARM_UP_FRAMES = 3
MIN_TIMINGS = 30            # with fewer frames, repeat them: the 95th percentile needs enough samples
NO_CLASS = 254              # predicted class that the ground truth lacks: wrong wherever a pixel is labelled
MIB = 2.0 ** 20


@dataclass(frozen=True)
class ChildRequest:
    """What to measure. `labels_to`: if given, only write the frames' labels to this folder, as reference for other candidates."""

    frames: str
    checkpoint: str
    options: SegmenterOptions
    smoothing: float
    labels_to: str = ''


def main(argv: Optional[list[str]] = None) -> int:
    """Write the figures as JSON, or `error`: why there are none; returns the exit code."""
    request_path, answer_path = (Path(text) for text in (sys.argv[1:] if argv is None else argv))
    content = json.loads(request_path.read_text())
    request = ChildRequest(**{**content, 'options': SegmenterOptions(**content['options'])})
    try:
        answer = run(request)
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        answer = {'error': error_text(error)}
    answer_path.write_text(json.dumps(answer) + '\n')
    return 0


def run(request: ChildRequest) -> dict[str, Any]:
    """Measure latency, memory and quality of a candidate; keys as the fields of Row.

    :raises ValueError: it cannot be built
    :raises RuntimeError: it does not run
    """
    frames = open_frames(Path(request.frames))
    start = time.perf_counter()
    options = request.options
    if options.precision == 'int8':
        options = replace(options, calibration_images=frames.images)
    segmenter = Segmenter.from_checkpoint(request.checkpoint, options)
    build_s = time.perf_counter() - start
    if request.labels_to:
        _Pass(segmenter, frames, request.smoothing).write_labels(Path(request.labels_to))
        return {'classes': list(segmenter.class_map.names)}
    with tempfile.TemporaryDirectory(prefix='fanet_ros_tune_') as folder:
        figures = _figures(segmenter, frames, request.smoothing, Path(folder))
        return {**figures, **_quality(segmenter, frames, Path(folder)), 'build_s': build_s,
                'engine_description': segmenter.engine_description}


def _figures(segmenter: Segmenter, frames: FrameSet, smoothing: float, folder: Path) -> dict[str, Any]:
    """Times and memory; the labels go to `folder`, to be scored after memory has been measured."""
    one_pass = _Pass(segmenter, frames, smoothing)
    one_pass.warm_up()
    build_mib = _peak_mib()
    release_memory()            # memory for building the engine is not needed to run it
    _forget_peak(segmenter.device)
    one_pass.write_labels(folder)
    while len(one_pass.times_ms) < MIN_TIMINGS:
        one_pass.go_on()
    p50, p95 = np.percentile(one_pass.times_ms, (50, 95))
    on_gpu = segmenter.device.type == 'cuda'
    return {
        'p50_ms': float(p50), 'p95_ms': float(p95), 'fps': 1e3 / float(np.mean(one_pass.times_ms)),
        'timings': len(one_pass.times_ms), 'memory_mib': _peak_mib(), 'build_memory_mib': build_mib,
        'gpu_memory_mib': torch.cuda.max_memory_reserved(segmenter.device) / MIB if on_gpu else None}


class _Pass:
    """Runs the Segmenter over the frames and times nothing else."""

    def __init__(self, segmenter: Segmenter, frames: FrameSet, smoothing: float) -> None:
        self._segmenter, self._frames, self._smoothing = segmenter, frames, smoothing
        self.times_ms: list[float] = []

    def warm_up(self) -> None:
        frame = next(self._frames.frames())
        for _ in range(WARM_UP_FRAMES):
            self._segmenter.segment(frame.rgb, smoothing=self._smoothing)

    def write_labels(self, folder: Path) -> None:
        """Segment every frame once and write the labels to folder/NNNN.png."""
        for name, labels in self._run():
            write_png(folder / f'{name}.png', labels)

    def go_on(self) -> None:
        """Segment the frames once more, but stop at MIN_TIMINGS times."""
        for _ in self._run():
            if len(self.times_ms) >= MIN_TIMINGS:
                return

    def _run(self) -> Iterator[tuple[str, np.ndarray]]:
        for frame in self._frames.frames():
            self._segmenter.forget()
            for rgb in frame.earlier:
                self._segmenter.segment(rgb, smoothing=self._smoothing)
            start = time.perf_counter()
            labels = self._segmenter.segment(frame.rgb, smoothing=self._smoothing).labels
            self.times_ms.append((time.perf_counter() - start) * 1e3)
            yield frame.name, labels


def _quality(segmenter: Segmenter, frames: FrameSet, folder: Path) -> dict[str, Any]:
    """Score the labels in `folder` against the ground truth, both figures 0..1; classes are matched by name."""
    table = np.full(256, NO_CLASS, np.uint8)
    for index, name in enumerate(segmenter.class_map.names):
        if name in frames.class_names:
            table[index] = frames.class_names.index(name)
    counter = AgreementCounter(frames.class_names)
    for path in sorted(frames.labels.glob('*.png')):
        counter.add(read_labels(path), table[read_labels(folder / path.name)])
    result = counter.result()
    assert result is not None       # some pixels are labelled: checked when the frames were gathered
    return {key: asdict(result)[key] for key in ('pixel_agreement', 'mean_iou')}


def _forget_peak(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
    try:
        Path('/proc/self/clear_refs').write_text('5')
    except OSError:         # then the peak includes building the engine
        pass


def _peak_mib() -> float:
    """Peak resident size of this process [MiB], since _forget_peak() if the system supports resetting it."""
    try:
        with open('/proc/self/status') as lines:
            return next(float(line.split()[1]) / 1024 for line in lines if line.startswith('VmHWM:'))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == '__main__':
    sys.exit(main())
