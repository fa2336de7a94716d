# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which resolution keeps the latency budget: a ladder of scales, and when to step down or up. Knows nothing of ROS."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

import numpy as np

WINDOW_FRAMES = 30          # p95 of these is what the budget is about
FULL_MARGIN = 0.85          # up only where the expected p95 leaves this much of the budget unused
PATIENCE_WINDOWS = 2        # that many windows in a row have to say so
MAX_PATIENCE_WINDOWS = 64   # patience doubles each time that a step up had to be taken back


@dataclass(frozen=True)
class Step:
    """Go to `scale`, because of `reason`, a few words."""

    scale: float
    reason: str


class LatencyLadder:
    """Decides from the latency of each frame. Counts by frames, not by time.

    After a step the window is filled anew, so every decision is about the present resolution alone. On the way up the
    latency is taken to grow like the number of pixels, which is the worst that can be expected.

    :param scales: shares of the full resolution, falling from 1.0
    :param scale: the present one; if it is none of `scales`, the first decision is to go to the next smaller one
    """

    def __init__(self, scales: Sequence[float], budget_ms: float, scale: float = 1.0) -> None:
        self._scales, self.budget_ms = tuple(scales), budget_ms
        self._scale = scale
        self._latencies: list[float] = []
        self._calm_windows = 0
        self._patience = PATIENCE_WINDOWS
        self._went_up = False
        self._failed: set[float] = set()
        self.p95_ms: Optional[float] = None         # of the last full window

    @property
    def scale(self) -> float:
        """The present share of the full resolution."""
        return self._scale

    def add(self, latency_ms: float) -> Optional[Step]:
        """Count a frame; a Step when the resolution should change, to be answered by moved() or failed()."""
        if self._scale not in self._scales:
            below = [scale for scale in self._scales if scale < self._scale]
            return Step(below[0] if below else self._scales[-1], 'the ladder changed')
        self._latencies.append(latency_ms)
        if len(self._latencies) < WINDOW_FRAMES:
            return None
        self.p95_ms = float(np.percentile(self._latencies, 95))
        self._latencies.clear()
        return self._step_down() if self.p95_ms > self.budget_ms else self._step_up(self.p95_ms)

    def moved(self, scale: float) -> None:
        """The network now runs at `scale`."""
        if scale < self._scale and self._went_up:       # the step up before did not hold: try it less often
            self._patience = min(2 * self._patience, MAX_PATIENCE_WINDOWS)
        self._went_up = scale > self._scale
        self._scale = scale
        self._latencies.clear()
        self._calm_windows = 0

    def failed(self, scale: float) -> None:
        """The network cannot run at `scale`: it is not asked for again."""
        self._failed.add(scale)
        self._latencies.clear()

    def _step_down(self) -> Optional[Step]:
        self._calm_windows = 0
        below = [scale for scale in self._scales if scale < self._scale and scale not in self._failed]
        if not below:
            return None
        return Step(below[0], f'p95 {self.p95_ms:.1f} ms is over the budget of {self.budget_ms:g} ms')

    def _step_up(self, p95_ms: float) -> Optional[Step]:
        above = [scale for scale in self._scales if scale > self._scale and scale not in self._failed]
        if not above:
            return None
        expected_ms = p95_ms * (above[-1] / self._scale) ** 2
        if expected_ms > FULL_MARGIN * self.budget_ms:
            self._calm_windows = 0
            return None
        self._calm_windows += 1
        if self._calm_windows < self._patience:
            return None
        return Step(above[-1], f'p95 {p95_ms:.1f} ms leaves room in the budget of {self.budget_ms:g} ms')
