# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks at what, so that nothing is subscribed to, encoded or asked for while nobody does."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fanet_ros.ros.dashboard.wire import Question

LOOKING_S = 3.0         # a page that is shown asks at least once a second; a hidden one does not ask


class Audience:
    """The last question of every viewer.

    :param clock: seconds of a steady clock
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[object, tuple[float, Question]] = {}

    def asked(self, viewer: object, question: Question) -> None:
        """`viewer`, any object of its own, looks at what it asks for."""
        with self._lock:
            self._asked[viewer] = self._clock(), question

    def left(self, viewer: object) -> None:
        """It looks no longer."""
        with self._lock:
            self._asked.pop(viewer, None)

    def wanted(self) -> dict[str, frozenset[str]]:
        """Layers that somebody looks at, by camera; empty: nobody looks."""
        with self._lock:
            since = self._clock() - LOOKING_S
            wanted: dict[str, frozenset[str]] = {}
            for asked_at, question in self._asked.values():
                if asked_at >= since:
                    wanted[question.camera] = wanted.get(question.camera, frozenset()) | frozenset(question.layers)
            return wanted
