# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Load from other processes on this machine, which disturbs timings."""
from __future__ import annotations

import os
import time

import psutil


class BackgroundLoad:
    """Cores that other processes keep busy, from construction on; timings taken under much other load are unreliable.

    Threads that synchronise after every layer, as PyTorch's do, suffer most: speed-ups over it then come out too high.
    """

    def __init__(self) -> None:
        self._start = self._now()

    def busy_cores(self) -> float:
        """Mean number of cores since the start."""
        before, after = self._start, self._now()
        return max(0.0, (after[1] - before[1]) / (after[0] - before[0]))

    @staticmethod
    def _now() -> tuple[float, float]:
        """Wall time, and CPU time of all processes except this one and those of its children that have ended, in seconds."""
        total, own = psutil.cpu_times(), os.times()
        all_s = total.user + total.nice + total.system
        return time.perf_counter(), all_s - (own.user + own.system + own.children_user + own.children_system)
