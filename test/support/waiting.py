# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Waiting for what other threads and processes do."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

DEADLINE_S = 60.0


def _pause() -> None:
    time.sleep(0.01)


def wait_for(condition: Callable[[], Any], meanwhile: Callable[[], object] = _pause) -> None:
    """Wait until `condition` holds.

    :param meanwhile: called until then, such as to spin executors
    """
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, 'timed out'
        meanwhile()
