# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What processor this is."""
from __future__ import annotations

import platform

# By which an x86 processor says that it multiplies bytes into 32 bits (VNNI).
VNNI_FLAGS = {'avx512_vnni', 'avx_vnni', 'amx_int8'}


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


def overflows_in_int8() -> bool:
    """Whether sums of products of bytes may not fit here: an x86 processor without VNNI adds two of them in 16 bits, saturating.

    Weights of 7 bits then keep every sum exact (ONNX Runtime's documentation of quantisation, `reduce_range`).
    """
    return platform.machine() in ('x86_64', 'AMD64') and VNNI_FLAGS.isdisjoint(cpuinfo('flags').split())
