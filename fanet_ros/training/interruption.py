# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Deferred handling of Ctrl-C and SIGTERM."""
from __future__ import annotations

import signal
import threading
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
