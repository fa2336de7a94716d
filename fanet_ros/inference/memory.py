"""Memory given back to the machine once a network is no longer needed."""
from __future__ import annotations

import ctypes
import gc

import torch


def release_memory() -> None:
    """Collect what nobody refers to any more, and give what the allocators keep of it back to the system."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim_heap()


def trim_heap() -> None:
    """Give the free pages of the heap back to the system, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):       # not glibc
        pass
