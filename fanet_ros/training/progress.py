# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress of a training: by iterations, or by the clock if its duration is given."""
from __future__ import annotations

import time


class Progress:
    """Counts iterations and seconds, across interruptions.

    :param iterations: of the whole training
    :param minutes: of the whole training; more than 0: the clock decides, and `iterations` is ignored
    """

    def __init__(self, iterations: int, minutes: float = 0.0) -> None:
        self._iterations, self._seconds = iterations, minutes * 60
        self._before, self._since = 0.0, time.monotonic()

    def at(self, iteration: int) -> float:
        """Share that is done, 0..1, before this iteration."""
        return min(self.seconds / self._seconds if self._seconds else iteration / self._iterations, 1.0)

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._since

    def resume(self, seconds: float) -> None:
        """Continue after this training time."""
        self._before, self._since = seconds, time.monotonic()
