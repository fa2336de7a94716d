# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CPU model and capabilities."""
from __future__ import annotations

import platform

# Flags of x86 processors that accumulate int8 products in 32 bits (VNNI).
VNNI_FLAGS = {'avx512_vnni', 'avx_vnni', 'amx_int8'}


def processor_name() -> str:
    """The CPU's model name."""
    return cpuinfo('model name') or platform.processor() or platform.machine()


def cpuinfo(key: str) -> str:
    """Value of `key` for the first core in /proc/cpuinfo; empty if there is no such file or key."""
    try:
        with open('/proc/cpuinfo') as lines:
            return next(line.split(':', 1)[1].strip() for line in lines if line.startswith(key))
    except (OSError, StopIteration):
        return ''


def cpu_features() -> frozenset[str]:
    """Names of the instruction sets, as the kernel lists them for the first core (`flags` on x86, `Features` on Arm)."""
    return frozenset((cpuinfo('flags') or cpuinfo('Features')).split())


def overflows_in_int8() -> bool:
    """Whether int8 dot products may saturate: an x86 processor without VNNI adds two products in 16 bits.

    7-bit weights then keep every sum exact (ONNX Runtime's quantisation documentation, `reduce_range`).
    """
    return platform.machine() in ('x86_64', 'AMD64') and VNNI_FLAGS.isdisjoint(cpu_features())
