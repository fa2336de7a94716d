# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a node's process ends: with one line when it cannot start or go on, and without a quarrel about who shuts ROS down."""
from __future__ import annotations

import os
import sys
from typing import NoReturn

import rclpy


def fail(name: str, error: Exception) -> int:
    """Print `error` as one line on stderr, under the node's `name`; returns the exit code, 1."""
    print(f'{name}: {" ".join(str(error).split())}', file=sys.stderr)
    return 1


def shut_down() -> None:
    """Shut ROS down unless that has been done, or is being done at this moment by the thread that handles signals."""
    try:
        rclpy.try_shutdown()
    except RuntimeError:
        if rclpy.ok():
            raise


def leave() -> NoReturn:
    """End the process with exit code 0 although a thread works on something that nobody needs any more."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
