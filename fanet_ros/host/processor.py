# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CPU model and capabilities."""
from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path

from fanet_ros.host.cpu_cores import CpuCores, cores_of

# Flags of x86 processors that accumulate int8 products in 32 bits (VNNI).
VNNI_FLAGS = {'avx512_vnni', 'avx_vnni', 'amx_int8'}


@lru_cache(maxsize=1)
def cpu_cores() -> CpuCores:
    """The cores of this machine; without names and features if the system does not tell them."""
    try:
        return cores_of(Path('/proc/cpuinfo').read_text(errors='replace'))
    except OSError:
        return cores_of('')


def processor_name() -> str:
    """The CPU's model name; on Arm the board, if known, and the kinds of cores."""
    return cpu_cores().name or platform.processor() or platform.machine()


def cpu_features() -> frozenset[str]:
    """Names of the instruction sets that all cores have, as the kernel lists them."""
    return cpu_cores().features


def fast_threads() -> int:
    """Threads for a network where some cores are much slower than others; 0 where all are alike, for the library's choice."""
    allowed = os.sched_getaffinity(0) if hasattr(os, 'sched_getaffinity') else range(os.cpu_count() or 1)
    fast = cpu_cores().fast(allowed)
    return fast if fast < len(allowed) else 0


def overflows_in_int8() -> bool:
    """Whether int8 dot products may saturate: an x86 processor without VNNI adds two products in 16 bits.

    7-bit weights then keep every sum exact (ONNX Runtime's quantisation documentation, `reduce_range`).
    """
    return platform.machine() in ('x86_64', 'AMD64') and VNNI_FLAGS.isdisjoint(cpu_features())
