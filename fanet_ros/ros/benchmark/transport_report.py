# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables and plots of the transport benchmark."""
from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from fanet_ros.ros.benchmark.run import PROCESSES, Run

WAY_BACK = 'way_back_ms'        # time outside all stages: image to the node, and mask to the receiver
COLORS = {'wait_ms': '#bab0ac', 'convert_ms': '#76b7b2', 'preprocess_ms': '#59a14f', 'network_ms': '#4e79a7',
          'postprocess_ms': '#f28e2b', 'publish_ms': '#edc948', WAY_BACK: '#e15759'}
NAMES = {WAY_BACK: 'DDS, both ways'}
HEADER = ('| images/s | camera | processes | sent | lost | latency p50 / p95 / p99 [ms] | outside inference [ms] | jitter [ms] | '
          'CPU per frame [ms] | memory [MiB] |\n|---|---|---|---|---|---|---|---|---|---|')


def table(runs: Sequence[Run]) -> str:
    """Markdown table with one row per run."""
    return '\n'.join([HEADER, *map(row, runs)])


def row(run: Run) -> str:
    """Table row for one run."""
    latency, transport = (' / '.join(f'{value:.1f}' for value in item) for item in (run.latency_ms, run.transport_ms))
    memory = f'{run.node_memory_mib:.0f}'
    if run.memory_slope_mib_h is not None:
        memory += f', {run.memory_slope_mib_h:+.1f} per hour'
        latency += f', p99 drift {run.p99_drift_ms:+.1f}'
    if run.smaller_after_s is not None:
        latency += f', resolution lowered {run.smaller_after_s:.2f} s after the load began'
    return (f'| {run.rate_hz:g} | {run.reliability.replace("_", " ")} | {PROCESSES[run.processes][0]} | '
            f'{run.sent:g} | {run.lost:g} | {latency} | {transport} | {run.jitter_ms:.1f} | {run.node_cpu_ms:.1f} | {memory} |')


def medians(runs: Sequence[Run]) -> list[Run]:
    """Merge the rounds of each rate, camera reliability and process tuning: medians of all figures, and all latencies.

    A resolution that was not lowered counts as lowered after infinite time.
    """
    groups: dict[tuple[float, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.rate_hz, run.reliability, run.processes), []).append(run)
    return [_median(group) for group in groups.values()]


def _median(group: Sequence[Run]) -> Run:
    def median(values: Sequence[float]) -> float:
        return round(float(np.median(values)), 3)
    changed: dict[str, Any] = {}
    lowered = np.median([np.inf if run.smaller_after_s is None else run.smaller_after_s for run in group])
    for name in (item.name for item in fields(Run) if item.name != 'smaller_after_s'):
        values = [getattr(run, name) for run in group]
        if isinstance(values[0], (int, float)):
            changed[name] = median(values)
        elif name in ('latency_ms', 'transport_ms'):
            changed[name] = tuple(map(median, zip(*values)))
    stages = {name: median([run.stages_ms[name] for run in group]) for name in group[0].stages_ms}
    latencies = tuple(value for run in group for value in run.latencies_ms)
    return replace(group[0], **changed, stages_ms=stages, latencies_ms=latencies,
                   smaller_after_s=round(float(lowered), 3) if np.isfinite(lowered) else None)


def stage_shares(run: Run) -> dict[str, float]:
    """Median milliseconds of each stage, in order; the last, WAY_BACK, is the remainder of the median latency."""
    stages = dict(run.stages_ms)
    stages[WAY_BACK] = max(run.latency_ms[0] - sum(stages.values()), 0.0)
    return stages


def draw_latencies(runs: Sequence[Run], path: Path) -> None:
    """Write histograms of the latency to `path`, one panel per rate."""
    from matplotlib.figure import Figure  # late: --help need not wait for it
    rates = sorted({run.rate_hz for run in runs})
    figure = Figure((8, 2.2 * len(rates) + 0.6), layout='tight')
    panels = figure.subplots(len(rates), squeeze=False, sharex=True)
    longest = max(run.latency_ms[2] for run in runs) * 1.1
    for rate, axes in zip(rates, panels[:, 0]):
        for run in (item for item in runs if item.rate_hz == rate):
            axes.hist(np.clip(run.latencies_ms, 0, longest), np.linspace(0, longest, 60), alpha=0.6,
                      label=f'{_name(run)}: p50 {run.latency_ms[0]:.1f}, '
                            f'p99 {run.latency_ms[2]:.1f} ms, lost {run.lost:g} of {run.sent:g}')
        axes.set(ylabel='frames', title=f'{rate:g} images/s')
        axes.legend(loc='upper left')
    panels[-1, 0].set_xlabel('camera stamp to mask received [ms]')
    figure.savefig(path, dpi=110)


def draw_stages(runs: Sequence[Run], path: Path) -> None:
    """Write stacked bars of the stages' median times to `path`, one bar per run."""
    from matplotlib.figure import Figure
    figure = Figure((9, 0.6 * len(runs) + 1.8))
    axes = figure.subplots()
    for number, run in enumerate(runs):
        start = 0.0
        for name, length in stage_shares(run).items():
            axes.barh(number, length, left=start, color=COLORS[name], height=0.65,
                      label=NAMES.get(name, name[:-len('_ms')]) if not number else None)
            if length > 0.06 * max(item.latency_ms[0] for item in runs):
                axes.text(start + length / 2, number, f'{length:.1f}', ha='center', va='center', fontsize=8)
            start += length
    axes.set_yticks(range(len(runs)), [f'{run.rate_hz:g}/s {_name(run)}' for run in runs])
    axes.invert_yaxis()
    axes.set(xlabel='median milliseconds, camera stamp to mask received')
    axes.legend(ncols=4, loc='upper center', bbox_to_anchor=(0.5, -0.22 - 0.25 / len(runs)), frameon=False)
    figure.savefig(path, dpi=110, bbox_inches='tight')


def _name(run: Run) -> str:
    return f'{run.reliability.replace("_", " ")} {PROCESSES[run.processes][0]}'
