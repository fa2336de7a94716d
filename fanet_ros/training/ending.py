# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a training ends: after its iterations or minutes, or by Ctrl-C and SIGTERM, which are handled between two iterations."""
from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Optional


class Interruption:
    """A context in which the first SIGINT or SIGTERM only sets `requested`; the second raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Interruption:
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: Optional[FrameType]) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


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
