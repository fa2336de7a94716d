# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reports of the tuning results: a table, Markdown and JSON."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

from fanet_ros.datasets.frame_set import FrameSet
from fanet_ros.host.machine import one_line
from fanet_ros.tools.tune.candidates import Candidate
from fanet_ros.tools.tune.choice import MB_OF_MIB, Budget, Choice, pareto
from fanet_ros.tools.tune.results import Row

HEADINGS = ('', 'checkpoint', 'resolution', 'engine', 'p50 ms', 'p95 ms', 'fps', 'memory MB')


@dataclass(frozen=True)
class Findings:
    """Everything a report needs. `reference`: what quality is measured against if there are no labels, else None."""

    source: str
    frames: FrameSet
    rows: tuple[Row, ...]
    choice: Optional[Choice]
    budget: Budget
    reference: Optional[Candidate]
    machine: dict[str, Any]
    date: str

    @property
    def quality_name(self) -> str:
        return 'mIoU' if self.reference is None else 'agreement'

    @property
    def measured(self) -> tuple[Row, ...]:
        """The rows with figures, fastest first."""
        return tuple(sorted((row for row in self.rows if not row.error), key=lambda row: row.p95_ms))

    @property
    def quality_in_words(self) -> str:
        if self.reference is None:
            return 'mIoU and pixels: against the ground truth of the frames'
        return (f'agreement: mean IoU with the labels of {self.reference.title}, pixels: share of equal labels; '
                'not accuracy, because there is no ground truth')


def table(findings: Findings) -> str:
    """Aligned Markdown table, fastest first: `*` on the Pareto front, `>` the chosen one."""
    front = set(pareto(findings.rows))
    chosen = findings.choice.row if findings.choice else None
    lines = [(*HEADINGS, f'{findings.quality_name} %', 'pixels %')]
    for row in findings.measured:
        item = row.candidate
        lines.append((
            ('>' if row is chosen else ' ') + ('*' if row in front else ' '), item.name, item.size, item.runner,
            f'{row.p50_ms:.1f}', f'{"~" if row.is_disturbed else ""}{row.p95_ms:.1f}', f'{row.fps:.1f}',
            f'{row.device_memory_mib * MB_OF_MIB:.0f}',
            f'{100 * row.mean_iou:.1f}', f'{100 * row.pixel_agreement:.1f}'))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    is_text = [column < 4 for column in range(len(widths))]
    shown = ['| ' + ' | '.join(cell.ljust(width) if left else cell.rjust(width)
                               for cell, width, left in zip(line, widths, is_text)) + ' |' for line in lines]
    rule = '|'.join('-' * (width + 2) if left else '-' * (width + 1) + ':' for width, left in zip(widths, is_text))
    return '\n'.join((shown[0], f'|{rule}|', *shown[1:]))


def notes(findings: Findings) -> tuple[str, ...]:
    """Notes that explain the table."""
    found = [f'`>` chosen, `*` on the Pareto front; budget: {findings.budget.description}',
             'times: from pixels to labels, without receiving and publishing', findings.quality_in_words]
    if any(row.gpu_memory_mib is not None for row in findings.measured):
        found.append('memory: GPU memory that torch reserved')
    else:
        found.append('memory: peak resident size of a process without ROS while it ran')
    loads = [row.busy_cores for row in findings.measured if row.busy_cores is not None and row.is_disturbed]
    if loads:
        found.append(f'`~` other processes kept up to {max(loads):.1f} cores busy meanwhile: times are longer and more '
                     'scattered than on an idle machine; --remeasure repeats these measurements')
    if len({row.candidate.name for row in findings.measured}) > 1 and not findings.frames.has_earlier:
        found.append('there are no previous frames: a video checkpoint is measured on single frames')
    return tuple(found)


def failures(rows: Sequence[Row]) -> tuple[str, ...]:
    """One line per candidate that could not be measured."""
    return tuple(f'not measured: {row.candidate.title}: {row.error}' for row in rows if row.error)


def markdown(findings: Findings, choice_text: str) -> str:
    """The whole report as Markdown."""
    frames = findings.frames
    remarks = '\n'.join(f'- {line}' for line in (*notes(findings), *failures(findings.rows)))
    parts = [f'# Tuned on {findings.source}',
             f'{findings.date}, {one_line(findings.machine)}; {frames.count} frames of {frames.width}x{frames.height}.',
             choice_text, table(findings), remarks, '![quality against latency](tune.png)']
    return '\n\n'.join(parts) + '\n'


def content(findings: Findings) -> dict[str, Any]:
    """The report for JSON: every row with its figures and whether it fits, is on the Pareto front, or was chosen."""
    front, budget = set(pareto(findings.rows)), findings.budget
    choice = findings.choice
    chosen = choice.row if choice else None
    return {
        'source': findings.source, 'date': findings.date, 'machine': findings.machine,
        'frames': {'count': findings.frames.count, 'height': findings.frames.height, 'width': findings.frames.width,
                   'rate_hz': findings.frames.rate_hz, 'image_topic': findings.frames.image_topic},
        'quality': 'mean_iou against labels' if findings.reference is None else
        f'agreement with {findings.reference.title}',
        'budget': {'latency_ms': budget.latency_ms, 'origin': budget.origin, 'reserve_ms': budget.reserve_ms,
                   'memory_mb': budget.memory_mb},
        'chosen': None if choice is None else {**vars(choice.row.candidate), 'fits': choice.fits},
        'rows': [{**row.as_dict(), 'pareto': row in front, 'fits': budget.fits(row), 'chosen': row is chosen}
                 for row in findings.rows]}
