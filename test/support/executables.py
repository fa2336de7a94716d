# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Locates the installed executables of the package."""
from __future__ import annotations

import os
from pathlib import Path


def find_executable(name: str) -> Path:
    """Path of an executable of this package, as `ros2 run` would find it.

    :raises FileNotFoundError: the package is not built or not sourced
    """
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        candidate = Path(prefix) / 'lib' / 'fanet_ros' / name
        if prefix and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(f'{name} is not installed: build the package (make build) and source install/local_setup.bash first')
