# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a training is done: by iterations, or by the clock where the time is what is given."""
from __future__ import annotations

import time


class Progress:
    """Counts iterations and seconds, over interruptions too.

    :param iterations: of the whole training
    :param minutes: of the whole training; more than 0: the clock decides, and `iterations` does not matter
    """

    def __init__(self, iterations: int, minutes: float = 0.0) -> None:
        self._iterations, self._seconds = iterations, minutes * 60
        self._before, self._since = 0.0, time.monotonic()

    def at(self, iteration: int) -> float:
        """Share that is done, 0..1, before this iteration is begun."""
        return min(self.seconds / self._seconds if self._seconds else iteration / self._iterations, 1.0)

    @property
    def seconds(self) -> float:
        """Spent so far."""
        return self._before + time.monotonic() - self._since

    def resume(self, seconds: float) -> None:
        """Go on after so many seconds."""
        self._before, self._since = seconds, time.monotonic()
