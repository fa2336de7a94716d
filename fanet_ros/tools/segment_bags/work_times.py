# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long each worker was busy, and when it ended: shows whether the last ones kept the others waiting."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fanet_ros.tools.segment_bags.jobs import Outcome


@dataclass
class _Times:
    jobs: int = 0
    busy_s: float = 0.0
    ended_s: float = 0.0


class WorkTimes:
    """Times of all workers, also of those that were lost; seconds since the run began."""

    def __init__(self) -> None:
        self._workers: dict[str, _Times] = {}

    def add(self, outcome: Outcome, now_s: float) -> None:
        """A job ended now."""
        if not outcome.worker:
            return
        times = self._workers.setdefault(outcome.worker, _Times())
        times.jobs += 1
        times.busy_s += outcome.seconds
        times.ended_s = now_s

    def workers(self) -> list[dict[str, Any]]:
        return [{'worker': name, 'jobs': times.jobs, 'busy_s': round(times.busy_s, 3), 'ended_s': round(times.ended_s, 3)}
                for name, times in self._workers.items()]

    def summary(self) -> str:
        """When the first and the last worker ended; empty for a single one."""
        ends = [times.ended_s for times in self._workers.values()]
        return f'; the first of {len(ends)} workers ended {max(ends) - min(ends):.1f} s before the last' if len(ends) > 1 else ''
