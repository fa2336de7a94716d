# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory given back to the machine once a network is no longer needed."""
from __future__ import annotations

import ctypes
import gc

import psutil
import torch

from fanet_ros.inference.gpu import release_cached_memory


def resident_mib() -> float:
    """Resident memory of this process."""
    return psutil.Process().memory_info().rss / 2**20


def memory_in_use(device: torch.device) -> dict[str, str]:
    """For diagnostics, in MiB: resident memory of this process, and on CUDA what torch holds and has held there."""
    found = {'memory [MiB]': f'{resident_mib():.0f}'}
    if device.type == 'cuda':
        found['GPU memory [MiB]'] = f'{torch.cuda.memory_reserved(device) / 2**20:.0f}'
        found['GPU memory, peak [MiB]'] = f'{torch.cuda.max_memory_reserved(device) / 2**20:.0f}'
    return found


def release_memory() -> None:
    """Collect what nobody refers to any more, and give what the allocators keep of it back to the system."""
    gc.collect()
    release_cached_memory()
    trim_heap()


def trim_heap() -> None:
    """Give the free pages of the heap back to the system, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):       # not glibc
        pass
