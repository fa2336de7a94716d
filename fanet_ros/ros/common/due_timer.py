# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs timers while the executor's thread is busy with something else."""
from __future__ import annotations

from rclpy.timer import Timer


def run_if_due(*timers: Timer) -> None:
    """Call the callback of each timer whose period has passed. In the executor's thread only."""
    for timer in timers:
        if timer.is_ready():
            timer.reset()
            timer.callback()
