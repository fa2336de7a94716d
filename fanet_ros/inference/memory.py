# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory use of this process, and how unused memory is returned to the system."""
from __future__ import annotations

import ctypes
import gc
import sys
from typing import TYPE_CHECKING, Union

import psutil

if TYPE_CHECKING:
    import torch


def resident_mib() -> float:
    """Resident memory of this process in MiB."""
    return psutil.Process().memory_info().rss / 2**20


def memory_in_use(device: Union[torch.device, str]) -> dict[str, str]:
    """Memory in MiB for diagnostics: resident memory of this process and, on CUDA, what torch has reserved now and at its peak."""
    usage = {'memory [MiB]': f'{resident_mib():.0f}'}
    if str(device).startswith('cuda'):
        import torch
        usage['GPU memory [MiB]'] = f'{torch.cuda.memory_reserved(device) / 2**20:.0f}'
        usage['GPU memory, peak [MiB]'] = f'{torch.cuda.max_memory_reserved(device) / 2**20:.0f}'
    return usage


def release_memory() -> None:
    """Collect garbage, and return the memory that the allocators keep for it to the system."""
    gc.collect()
    if 'torch' in sys.modules:      # otherwise it holds no memory
        from fanet_ros.inference.gpu import release_cached_memory
        release_cached_memory()
    trim_heap()


def trim_heap() -> None:
    """Return free pages of the heap to the system, if the C library supports it."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):       # not glibc
        pass
