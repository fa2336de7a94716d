# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which layers the viewers request, so that nothing is subscribed to, encoded or polled without a viewer."""
from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fanet_ros.ros.dashboard.wire import Query

LOOKING_S = 3.0         # a visible page queries at least once a second; a hidden one does not


class Audience:
    """The last query of every viewer. Thread-safe.

    :param clock: monotonic clock in seconds
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[object, tuple[float, Query]] = {}

    def asked(self, viewer: object, query: Query) -> None:
        """Note the query of `viewer`, any hashable object that identifies it."""
        with self._lock:
            self._asked[viewer] = self._clock(), query

    def left(self, viewer: object) -> None:
        with self._lock:
            self._asked.pop(viewer, None)

    def wanted(self) -> dict[str, frozenset[str]]:
        """Layers requested by current viewers, by camera; empty without viewers."""
        with self._lock:
            since = self._clock() - LOOKING_S
            wanted: dict[str, frozenset[str]] = {}
            for asked_at, query in self._asked.values():
                if asked_at >= since:
                    wanted[query.camera] = wanted.get(query.camera, frozenset()) | frozenset(query.layers)
            return wanted
