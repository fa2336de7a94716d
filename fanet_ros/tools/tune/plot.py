# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plot of quality against latency, one point per candidate."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from fanet_ros.tools.significant import significant
from fanet_ros.tools.tune.choice import pareto
from fanet_ros.tools.tune.report import Findings
from fanet_ros.tools.tune.results import Row

SIZE_INCHES = (10.5, 6.0)
MARKERS = 'osD^vP*X'
WIDE = 4.0                  # ratio of slowest to fastest above which the axis is logarithmic
LABEL_STEP_PX = 15.0        # minimum vertical distance of labels that would overlap


def draw_plot(findings: Findings, path: Path) -> None:
    """Write a PNG: one colour per engine and precision, one marker per checkpoint.

    A thin line, labelled with the resolution, joins the points of the same checkpoint and resolution.
    """
    rows = findings.measured
    runners = sorted({row.candidate.runner for row in rows})
    names = list(dict.fromkeys(row.candidate.name for row in findings.rows))
    colors = {runner: colormaps['tab10'](index % 10) for index, runner in enumerate(runners)}
    markers = {name: MARKERS[index % len(MARKERS)] for index, name in enumerate(names)}
    figure = Figure(SIZE_INCHES)
    axes = figure.subplots()
    times = [row.p95_ms for row in rows] + [findings.budget.limit_ms]
    if max(times) > WIDE * min(times):
        axes.set_xscale('log')
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
        axes.xaxis.set_minor_formatter(NullFormatter())
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.candidate.name, row.candidate.size), []).append(row)
    for group in groups.values():
        axes.plot([row.p95_ms for row in group], [100 * row.mean_iou for row in group], color='0.8', lw=1, zorder=1)
    for row in rows:
        axes.plot(row.p95_ms, 100 * row.mean_iou, markers[row.candidate.name], color=colors[row.candidate.runner],
                  ms=7, mec='white', mew=0.6, zorder=3)
    front = pareto(rows)
    axes.step([row.p95_ms for row in front], [100 * row.mean_iou for row in front], where='post', color='0.35', lw=1.2,
              ls='--', zorder=2)
    axes.axvline(findings.budget.limit_ms, color='tab:red', lw=1.2, zorder=1)
    handles = [Line2D([], [], ls='', marker='o', color=colors[runner], label=runner) for runner in runners]
    handles += [Line2D([], [], ls='', marker=markers[name], color='0.4', label=name) for name in names]
    handles += [Line2D([], [], color='0.35', ls='--', label='Pareto front'),
                Line2D([], [], color='tab:red', label=f'budget {significant(findings.budget.limit_ms, 4)} ms')]
    if findings.choice is not None:
        row = findings.choice.row
        axes.plot(row.p95_ms, 100 * row.mean_iou, 'o', ms=17, mfc='none', mec='black', mew=1.8, zorder=4)
        handles.append(Line2D([], [], ls='', marker='o', mfc='none', mec='black', ms=11,
                              label='chosen' if findings.choice.fits else 'chosen, over budget'))
    quality = 'mIoU [%]' if findings.reference is None else f'agreement with {findings.reference.size} (mean IoU) [%]'
    axes.set(xlabel='p95 latency, pixels to labels [ms]', ylabel=quality,
             title=f'{findings.source}: {findings.frames.count} frames, {findings.date}')
    axes.grid(True, alpha=0.25)
    axes.margins(x=0.12, y=0.1)
    axes.legend(handles=handles, fontsize='small', loc='center left', bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.tight_layout()
    _label(figure, axes, list(groups.values()))
    figure.savefig(path, dpi=110)


def _label(figure: Figure, axes: Any, groups: list[list[Row]]) -> None:
    """Write the resolution left of each group's fastest point, moved down where labels would overlap."""
    figure.draw_without_rendering()
    placed: list[tuple[float, float]] = []
    firsts = [group[0] for group in groups]
    spots = sorted(((*axes.transData.transform((row.p95_ms, 100 * row.mean_iou)), row) for row in firsts),
                   key=lambda spot: -spot[1])
    for x, y, row in spots:
        lower = y
        while any(abs(x - other_x) < 75 and abs(lower - other_y) < LABEL_STEP_PX for other_x, other_y in placed):
            lower -= 2
        placed.append((x, lower))
        scale = 72.0 / figure.dpi
        axes.annotate(row.candidate.size, (row.p95_ms, 100 * row.mean_iou), xytext=(-12, (lower - y) * scale),
                      textcoords='offset points', ha='right', va='center', fontsize=8, color='0.25', zorder=5,
                      bbox={'fc': 'white', 'ec': 'none', 'alpha': 0.75, 'pad': 0.5})
