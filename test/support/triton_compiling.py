# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compiles Triton kernels for a GPU that is not there."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def compile_elsewhere(code: str, cache: Path) -> None:
    """Run code that compiles kernels in a separate process: this one may use Triton's interpreter.

    :param cache: folder for what is compiled
    """
    environment = {name: value for name, value in os.environ.items() if name != 'TRITON_INTERPRET'}
    subprocess.run([sys.executable, '-c', code], check=True, cwd=Path(__file__).parents[2],
                   env={**environment, 'TRITON_CACHE_DIR': str(cache)})
