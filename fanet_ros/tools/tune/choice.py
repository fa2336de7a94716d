# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose a candidate for a budget, and find the Pareto front of quality and latency."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from fanet_ros.tools.significant import significant
from fanet_ros.tools.tune.results import Row

MB_OF_MIB = 1.048576
TIE = 0.002         # of mean IoU: smaller differences are noise, and the faster candidate is taken
VISIBLE = 0.0005    # of mean IoU: smaller gains do not add a point to the Pareto front


@dataclass(frozen=True)
class Budget:
    """Latency and memory limits for a frame; `reserve_ms` of the latency are for receiving and publishing; memory_mb None: any.

    `origin` says in words where the latency limit comes from.
    """

    latency_ms: float
    origin: str
    memory_mb: Optional[float] = None
    reserve_ms: float = 0.0

    @property
    def limit_ms(self) -> float:
        """Time left for segmentation, from pixels to labels."""
        return self.latency_ms - self.reserve_ms

    @property
    def description(self) -> str:
        reserve = f', {self.reserve_ms:g} ms of it for receiving and publishing' if self.reserve_ms else ''
        memory = f', {self.memory_mb:g} MB' if self.memory_mb is not None else ''
        return f'p95 of {significant(self.latency_ms, 4)} ms ({self.origin}{reserve}){memory}'

    def fits(self, row: Row) -> bool:
        """Whether p95 latency and memory are within the budget."""
        return not row.error and row.p95_ms <= self.limit_ms and self.has_room(row)

    def has_room(self, row: Row) -> bool:
        return self.memory_mb is None or row.device_memory_mib * MB_OF_MIB <= self.memory_mb


@dataclass(frozen=True)
class Choice:
    """The chosen row; `fits` is False if nothing fits the budget and this is only the closest."""

    row: Row
    fits: bool


def choose(rows: Sequence[Row], budget: Budget) -> Optional[Choice]:
    """The best row that fits the budget; of several within TIE of it, the fastest.

    If nothing fits: the fastest, of those whose memory fits if there are any. None if nothing could be measured.
    """
    measured = [row for row in rows if not row.error]
    if not measured:
        return None
    fitting = [row for row in measured if budget.fits(row)]
    if not fitting:
        with_room = [row for row in measured if budget.has_room(row)]
        return Choice(min(with_room or measured, key=lambda row: row.p95_ms), False)
    best = max(row.mean_iou for row in fitting)
    near = [row for row in fitting if row.mean_iou >= best - TIE - 1e-9]
    return Choice(min(near, key=lambda row: row.p95_ms), True)


def pareto(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows that are better than every faster row by more than VISIBLE, fastest first."""
    front: list[Row] = []
    for row in sorted((row for row in rows if not row.error), key=lambda row: (row.p95_ms, -row.mean_iou)):
        if not front or row.mean_iou > front[-1].mean_iou + VISIBLE:
            front.append(row)
    return tuple(front)


def remedy(choice: Choice, budget: Budget, tried: Sequence[Row]) -> str:
    """Suggestions for when nothing fits."""
    ways = ['--remeasure on a quiet machine'] if choice.row.is_disturbed else []
    ways.append('smaller --scales')
    if not any(row.candidate.precision == 'int8' for row in tried) and choice.row.gpu_memory_mib is None:
        ways.append('--precisions float32 int8')
    if not budget.has_room(choice.row):
        ways.append('more --memory-mb')
    elif choice.row.p95_ms > budget.limit_ms:
        ways.append(f'a camera of {significant(1e3 / (choice.row.p95_ms + budget.reserve_ms))} Hz or less')
    return ', or '.join(ways)
