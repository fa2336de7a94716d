# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `tune` command: gather frames, measure each candidate, then choose and write report and parameter file."""
from __future__ import annotations

import argparse
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Optional, Sequence

import torch
from tqdm import tqdm

from fanet_ros.datasets.frame_set import TRUTH, FrameSet, gather_frames
from fanet_ros.datasets.source_frames import SourceRequest
from fanet_ros.host.machine import describe_machine
from fanet_ros.inference import SegmenterOptions
from fanet_ros.inference.device import choose_device
from fanet_ros.inference.engines import runtimes
from fanet_ros.model import available_checkpoints
from fanet_ros.tools.significant import significant
from fanet_ros.tools.tune.candidates import Candidate, Model, find_runners, largest_of, load_model, make_candidates, reference_of
from fanet_ros.tools.tune.child import ChildRequest
from fanet_ros.tools.tune.choice import Budget, choose
from fanet_ros.tools.tune.measure import measure
from fanet_ros.tools.tune.output import write_findings
from fanet_ros.tools.tune.params import read_parameters
from fanet_ros.tools.tune.report import Findings
from fanet_ros.tools.tune.results import CONVERTED, FRAMES, Results, Row

ASSUMED_RATE_HZ = 10.0


def tune(arguments: argparse.Namespace) -> None:
    """Run `tune` and print the findings.

    :raises ValueError: unusable source, labels, checkpoints, parameter file or output
    :raises OSError: the output cannot be written
    """
    parameters = read_parameters(arguments.params_file)
    device = choose_device(arguments.device or parameters['device'])
    models = _models(arguments.checkpoints or available_checkpoints(), parameters['class_map'])
    runners = find_runners(models, arguments.engines, arguments.precisions, device)
    largest = largest_of(runners)
    smoothing = float(parameters['temporal_smoothing'])
    context = max(2 if smoothing else 0, *(model.temporal_frames - 1 for model in models))
    request = SourceRequest(arguments.source, arguments.frames, context, largest.class_map, arguments.image_topic,
                            arguments.labels, tuple(arguments.set))
    machine = describe_machine(device, runtimes())
    folder = arguments.output
    settings = _settings(request, models, device, parameters, machine, folder)
    with Results(folder, settings) as results:
        if not results.is_begun:
            shutil.rmtree(folder / FRAMES, ignore_errors=True)      # may be from another source
        frames = gather_frames(folder / FRAMES, request, quiet=arguments.quiet)
        candidates = make_candidates(runners, arguments.scales, arguments.resolutions, (frames.height, frames.width))
        reference = reference_of(largest, candidates)
        results.begin(**({} if frames.has_labels else {'reference': reference.title}))
        runner = _Runner(frames, device, parameters, folder / CONVERTED, arguments.timeout_s)
        if not frames.is_scorable:
            _write_reference(runner, reference, frames)
        _measure_all(runner, candidates, results, arguments)
        shutil.rmtree(folder / CONVERTED, ignore_errors=True)
        rows = tuple(results.rows[candidate] for candidate in candidates)
        budget = _budget(arguments, frames)
        findings = Findings(
            arguments.source, frames, rows, choose(rows, budget), budget, None if frames.has_labels else reference,
            machine, f'{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}')
        print('\n' + write_findings(findings, parameters, arguments.device, folder))


class _Runner:
    """Measures candidates on the frames, with the node's parameters."""

    def __init__(self, frames: FrameSet, device: torch.device, parameters: dict[str, Any], cache: Path,
                 timeout_s: float) -> None:
        self._frames, self._device, self._parameters = frames, device, parameters
        self._cache, self._timeout_s = cache, timeout_s

    def __call__(self, candidate: Candidate, labels_to: str = '') -> dict[str, Any]:
        options = SegmenterOptions(
            str(self._device), candidate.engine, candidate.precision, candidate.height, candidate.width,
            num_threads=int(self._parameters['num_threads']), class_map=self._parameters['class_map'])
        return measure(ChildRequest(str(self._frames.folder), candidate.checkpoint, options,
                                    float(self._parameters['temporal_smoothing']), labels_to), self._cache, self._timeout_s)


def _models(checkpoints: Sequence[str], class_map: str) -> tuple[Model, ...]:
    models = tuple(load_model(name, class_map) for name in dict.fromkeys(checkpoints))
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise ValueError(f'--checkpoints has files of the same name ({", ".join(names)}): rename one so that they '
                         'can be told apart')
    return models


def _settings(request: SourceRequest, models: Sequence[Model], device: torch.device, parameters: dict[str, Any],
              machine: dict[str, Any], output: Path) -> dict[str, Any]:
    """Everything the figures depend on, apart from the candidates themselves."""
    return {
        'source': _identity(request.source, output), 'frames': request.frames, 'context': request.context,
        'image_topic': request.image_topic, 'labels': _identity(request.labels, output), 'set': list(request.label_settings),
        'checkpoints': [model.identity for model in models], 'device': str(device),
        'machine': [machine['cpu'], machine['threads'], machine.get('gpu', ''), machine['versions']],
        **{name: parameters[name] for name in ('num_threads', 'class_map', 'temporal_smoothing')}}


def _identity(source: str, output: Path) -> list[Any]:
    """Identity of the contents of a file or folder, for detecting changes; without those of `output`, which may be in it."""
    path = Path(source).expanduser()
    if not source or not path.exists() or path.is_char_device():
        return [source]
    path, own = path.resolve(), output.resolve()
    files = [item for item in path.rglob('*') if item.is_file() and own not in item.parents] if path.is_dir() else [path]
    status = [item.stat() for item in files]
    return [str(path), len(files), sum(item.st_size for item in status),
            max((item.st_mtime_ns for item in status), default=0)]


def _write_reference(runner: _Runner, reference: Candidate, frames: FrameSet) -> None:
    """Write the reference labels to frames/truth, completely or not at all."""
    partial = frames.folder / f'{TRUTH}.partial'
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    print(f'reference: {reference.title}', file=sys.stderr)
    answer = runner(reference, str(partial))
    if 'error' in answer:
        raise ValueError(f'the reference {reference.title} cannot be run ({answer["error"]}): without labels, quality '
                         'is measured against it; choose smaller --scales')
    partial.rename(frames.labels)


def _measure_all(runner: _Runner, candidates: Sequence[Candidate], results: Results,
                 arguments: argparse.Namespace) -> None:
    """Measure the candidates without figures and, with --remeasure, those that were disturbed."""
    waiting = [candidate for candidate in candidates if not results.is_measured(candidate)
               or (arguments.remeasure and results.rows[candidate].is_disturbed)]
    done = len(candidates) - len(waiting)
    with tqdm(total=len(candidates), initial=done, unit='candidate', disable=arguments.quiet) as progress:
        for candidate in waiting:
            progress.set_description(candidate.title)
            answer = runner(candidate)
            results.add(Row(candidate, **answer))
            if 'error' in answer:
                progress.write(f'not measured: {candidate.title}: {answer["error"]}', file=sys.stderr)
            progress.update()
    if all(results.rows[candidate].error for candidate in candidates):
        raise ValueError(f'none of {len(candidates)} candidates could be measured; the first: '
                         f'{results.rows[candidates[0]].error}')


def _budget(arguments: argparse.Namespace, frames: FrameSet) -> Budget:
    """The requested budget, or the time between two frames of the camera."""
    rate_hz: Optional[float] = arguments.rate_hz or frames.rate_hz
    if arguments.budget_ms:
        latency_ms, origin = arguments.budget_ms, 'as requested'
    elif rate_hz:
        latency_ms, origin = 1e3 / rate_hz, f'a camera of {significant(rate_hz)} Hz'
        origin += '' if arguments.rate_hz else f', measured from {arguments.source}'
    else:
        latency_ms, origin = 1e3 / ASSUMED_RATE_HZ, f'a camera of {ASSUMED_RATE_HZ:g} Hz, assumed: give --rate-hz'
    if latency_ms <= arguments.reserve_ms:
        raise ValueError(f'--reserve-ms {arguments.reserve_ms:g} leaves nothing of the budget of {significant(latency_ms, 4)} ms')
    return Budget(latency_ms, origin, arguments.memory_mb, arguments.reserve_ms)
