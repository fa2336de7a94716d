# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other threads do."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

DEADLINE_S = 60.0


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, 'timed out'
        time.sleep(0.01)
