# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the resolution that keeps the latency budget, from a ladder of scales. Independent of ROS."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

import numpy as np

WINDOW_FRAMES = 30          # the p95 of these is compared with the budget
LATE_FRAMES = 3             # this many over the budget settle that: the p95 of the window exceeds it, whatever the others take
FULL_MARGIN = 0.85          # step up only if the expected p95 is at most this share of the budget
PATIENCE_WINDOWS = 2        # for this many consecutive windows
MAX_PATIENCE_WINDOWS = 64   # the patience doubles each time a step up had to be reverted


@dataclass(frozen=True)
class Step:
    """A change to `scale`, with the `reason` in a few words."""

    scale: float
    reason: str


class LatencyLadder:
    """Decides on steps from the latency of each frame. Counts frames, not time.

    Each step clears the window, so every decision is based on the current resolution only. Latency is assumed to grow in
    proportion to the number of pixels, the worst case for a step up and the best one for a step down: a step never goes below
    the largest scale that can be enough, but passes over those that cannot.

    :param scales: factors on the full resolution, descending from 1.0
    :param budget_ms: limit on the p95 of the latency
    :param scale: the current one; if it is not in `scales`, the first step goes to the next smaller one
    """

    def __init__(self, scales: Sequence[float], budget_ms: float, scale: float = 1.0) -> None:
        self._scales, self.budget_ms, self.scale = tuple(scales), budget_ms, scale
        self._latencies: list[float] = []
        self._calm_windows = 0
        self._patience = PATIENCE_WINDOWS
        self._went_up = False
        self._failed: set[float] = set()
        self.is_calm = False                        # whether the last frame completed a window within the budget
        self.p95_ms: Optional[float] = None         # at the last decision

    @property
    def others(self) -> tuple[float, ...]:
        """The scales that a step may go to: those below, the next one first, then those above."""
        usable = [scale for scale in self._scales if scale not in self._failed]
        return (*(scale for scale in usable if scale < self.scale), *(scale for scale in reversed(usable) if scale > self.scale))

    def add(self, latency_ms: float) -> Optional[Step]:
        """Count a frame; returns a Step if the resolution should change. Report its outcome with moved() or failed()."""
        if self.scale not in self._scales:
            return Step(self.others[0], 'the ladder changed') if self.others else None
        self._latencies.append(latency_ms)
        self.is_calm = False
        late = [value for value in self._latencies if value > self.budget_ms]
        if len(self._latencies) < WINDOW_FRAMES and len(late) < LATE_FRAMES:
            return None
        self.p95_ms = float(np.percentile(self._latencies, 95))
        self._latencies.clear()
        if self.p95_ms > self.budget_ms:
            return self._step_down(min(late))
        self.is_calm = True
        return self._step_up(self.p95_ms)

    def moved(self, scale: float) -> None:
        """The network now runs at `scale`."""
        if scale < self.scale and self._went_up:       # the last step up did not hold: try less often
            self._patience = min(2 * self._patience, MAX_PATIENCE_WINDOWS)
        self._went_up = scale > self.scale
        self.scale = scale
        self._latencies.clear()
        self._calm_windows = 0

    def failed(self, scale: float) -> None:
        """The network cannot run at `scale`, which is not requested again."""
        self._failed.add(scale)
        self._latencies.clear()

    def _step_down(self, least_ms: float) -> Optional[Step]:
        """The step if all frames that were late took at least `least_ms`."""
        self._calm_windows = 0
        below = [scale for scale in self._scales if scale < self.scale and scale not in self._failed]
        if not below:
            return None
        enough = [scale for scale in below if least_ms * (scale / self.scale) ** 2 <= self.budget_ms]
        return Step(enough[0] if enough else below[-1], f'p95 {self.p95_ms:.1f} ms is over the budget of {self.budget_ms:g} ms')

    def _step_up(self, p95_ms: float) -> Optional[Step]:
        above = [scale for scale in self._scales if scale > self.scale and scale not in self._failed]
        if not above:
            return None
        expected_ms = p95_ms * (above[-1] / self.scale) ** 2
        if expected_ms > FULL_MARGIN * self.budget_ms:
            self._calm_windows = 0
            return None
        self._calm_windows += 1
        if self._calm_windows < self._patience:
            return None
        return Step(above[-1], f'p95 {p95_ms:.1f} ms leaves room in the budget of {self.budget_ms:g} ms')
