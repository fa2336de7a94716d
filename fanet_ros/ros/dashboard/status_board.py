# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Versioned status for the page: sent only when it has changed."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

REFRESH_S = 0.2         # regardless of the number of viewers


class StatusBoard:
    """Caches the status for REFRESH_S and counts its changes.

    :param describe: returns the current status, ready for JSON
    """

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        self._describe = describe
        self._content: dict[str, Any] = {}
        self._version = 0
        self._read_at = float('-inf')

    @property
    def version(self) -> int:
        """Version of the current status; increases with every change."""
        self.read()
        return self._version

    def read(self) -> dict[str, Any]:
        now = time.monotonic()
        if now - self._read_at < REFRESH_S:
            return self._content
        self._read_at = now
        content = self._describe()
        if content != self._content:
            self._content = content
            self._version += 1
        return self._content
