# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How busy a machine is with the work of others."""
from __future__ import annotations

import os
import time

import psutil


class OtherLoad:
    """How many cores other processes keep busy from its making on; timings taken beside much of it are worth little.

    Threads that wait for each other at the end of every layer, as PyTorch's do, suffer most: ratios are then too high.
    """

    def __init__(self) -> None:
        self._start = self._now()

    def busy_cores(self) -> float:
        """Mean since the start."""
        before, after = self._start, self._now()
        return max(0.0, (after[1] - before[1]) / (after[0] - before[0]))

    @staticmethod
    def _now() -> tuple[float, float]:
        """Wall time and CPU time of all processes but this one and its children, in seconds."""
        everybody, own = psutil.cpu_times(), os.times()
        all_s = everybody.user + everybody.nice + everybody.system
        return time.perf_counter(), all_s - (own.user + own.system + own.children_user + own.children_system)
