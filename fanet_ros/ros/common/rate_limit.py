# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lets only so many frames a second through."""
from __future__ import annotations

LATEST = 0.75       # of a period: how late a frame may be without the next one being due later


class RateLimit:
    """At most `max_hz` a second in the mean, evenly spread, although a camera is never quite punctual; 0: all."""

    def __init__(self, max_hz: float = 0.0) -> None:
        self.max_hz = max_hz
        self._due_s = float('-inf')

    def passes(self, now_s: float) -> bool:
        """Whether a frame that comes at `now_s`, by any clock that runs steadily, may go on."""
        if not self.max_hz:
            return True
        if now_s < self._due_s:
            return False
        period_s = 1.0 / self.max_hz
        # From when it was due, not from now: else every frame that comes a little late would lower the rate for good.
        self._due_s = max(self._due_s, now_s - LATEST * period_s) + period_s
        return True
