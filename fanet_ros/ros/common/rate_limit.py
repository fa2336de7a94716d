# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rate limit for frames."""
from __future__ import annotations

LATEST = 0.75       # share of a period by which a frame may be late without delaying the next one


class RateLimit:
    """Passes at most `max_hz` frames per second on average, evenly spread despite camera jitter; 0: all frames."""

    def __init__(self, max_hz: float = 0.0) -> None:
        self._max_hz = max_hz
        self._due_s = float('-inf')

    @property
    def max_hz(self) -> float:
        """Frames per second. Another value applies from the next frame on, however long the previous period was."""
        return self._max_hz

    @max_hz.setter
    def max_hz(self, max_hz: float) -> None:
        if max_hz != self._max_hz:
            self._max_hz, self._due_s = max_hz, float('-inf')

    def passes(self, now_s: float) -> bool:
        """Whether a frame that arrives at `now_s`, in seconds of a monotonic clock, passes."""
        max_hz = self._max_hz
        if not max_hz:
            return True
        if now_s < self._due_s:
            return False
        period_s = 1.0 / max_hz
        # Counted from the due time, not from now: otherwise every late frame would lower the rate.
        self._due_s = max(self._due_s, now_s - LATEST * period_s) + period_s
        return True
