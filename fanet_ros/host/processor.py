# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What processor this is."""
from __future__ import annotations

import platform


def processor_name() -> str:
    """The CPU's model, as people know it."""
    return cpuinfo('model name') or platform.processor() or platform.machine()


def cpuinfo(key: str) -> str:
    """What /proc/cpuinfo says of the first core under `key`; empty where there is no such file or key."""
    try:
        with open('/proc/cpuinfo') as lines:
            return next(line.split(':', 1)[1].strip() for line in lines if line.startswith(key))
    except (OSError, StopIteration):
        return ''
