# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fair timing: cases take turns, so that other load on the machine affects all of them equally."""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Sequence

import numpy as np


@dataclass(frozen=True)
class Pace:
    """Course of a case's turn: a pause, then `burst` timed runs; before the first round, `warm_up_runs` untimed ones."""

    warm_up_runs: int = 2
    burst: int = 1
    # Worker threads of engines keep spinning for a while after their work, on cores that the next case needs.
    pause_s: float = 0.05


CPU_PACE = Pace()
GPU_PACE = Pace(warm_up_runs=20, burst=20, pause_s=0.0)     # an idle GPU lowers its clocks


@dataclass(frozen=True)
class Case:
    """Something to time. `run` returns when its work is done, also on a GPU. `frames`: number of frames that one run processes."""

    name: str
    run: Callable[[], Any]
    frames: int = 1
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timing:
    """Times of one case in ms per frame, and its speedup over the baseline.

    Ratios are taken within each round; as_dict() gives their median and quartiles: load that lasts longer than a round
    cancels out.
    """

    name: str
    times_ms: tuple[float, ...]
    ratios: tuple[float, ...]
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def median_ms(self) -> float:
        return float(np.median(self.times_ms))

    def as_dict(self) -> dict[str, Any]:
        low, high = np.percentile(self.times_ms, (25, 75))
        ratio_low, ratio, ratio_high = np.percentile(self.ratios, (25, 50, 75))
        return {'name': self.name, 'median_ms': self.median_ms, 'quartiles_ms': [float(low), float(high)],
                'min_ms': min(self.times_ms), 'ratio': float(ratio), 'ratio_quartiles': [float(ratio_low), float(ratio_high)],
                'rounds': len(self.times_ms), **self.details}


def take_turns(cases: Sequence[Case], rounds: int, pace: Pace = CPU_PACE) -> list[Timing]:
    """Time every case once per round; the first is the baseline of the ratios.

    Every other round runs in reverse order, so that no case always inherits the caches of the same neighbour.
    """
    for case in cases:
        for _ in range(pace.warm_up_runs):
            case.run()
    times_ms = np.zeros((rounds, pace.burst, len(cases)))
    for number in range(rounds):
        order = range(len(cases))
        for index in (order if number % 2 == 0 else reversed(order)):
            time.sleep(pace.pause_s)
            for run in range(pace.burst):
                start = time.perf_counter()
                cases[index].run()
                times_ms[number, run, index] = (time.perf_counter() - start) * 1e3 / cases[index].frames
    by_run = times_ms.reshape(rounds * pace.burst, len(cases))
    return [Timing(case.name, tuple(by_run[:, index].tolist()),
                   tuple((by_run[:, 0] / by_run[:, index]).tolist()), case.details)
            for index, case in enumerate(cases)]


def growth_exponent(sizes: Sequence[float], times_ms: Sequence[float]) -> float:
    """Exponent p of the least-squares fit time = c size^p: 1 is linear, 2 quadratic."""
    return float(np.polyfit(np.log(sizes), np.log(times_ms), 1)[0])
