"""How busy a machine is with the work of others."""
from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Optional


class OtherLoad:
    """How many cores other processes keep busy from its making on; timings taken beside much of it are worth little.

    Threads that wait for each other at the end of every layer, as PyTorch's do, suffer most: ratios are then too high.
    """

    def __init__(self) -> None:
        self._start = self._now()

    def busy_cores(self) -> Optional[float]:
        """Mean since the start; None where the system does not say (it does on Linux)."""
        before, after = self._start, self._now()
        if before is None or after is None or after[0] <= before[0]:
            return None
        return max(0.0, (after[1] - before[1]) / (after[0] - before[0]))

    @staticmethod
    def _now() -> Optional[tuple[float, float]]:
        """Wall time and CPU time of all processes but this one and its children, in seconds."""
        try:
            user, nice, system = (int(value) for value in Path('/proc/stat').read_text().split('\n', 1)[0].split()[1:4])
        except (OSError, ValueError):
            return None
        own = os.times()
        all_s = (user + nice + system) / os.sysconf('SC_CLK_TCK')
        return time.perf_counter(), all_s - (own.user + own.system + own.children_user + own.children_system)
