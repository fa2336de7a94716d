"""What came down from a GPU, as arrays that belong to whoever is given them."""
from __future__ import annotations

import threading
import weakref

import numpy as np
from torch import Tensor

PINNED_BYTES = 64 * 2**20       # that consumers may hold


class HostResults:
    """Gives tensors on the host as arrays: the same memory, or a copy where more than `limit_bytes` of it are held already.

    Results come down into pinned memory. PyTorch uses it again once neither tensor nor array refers to it, so that nothing is
    overwritten that is still held; but it gives none back to the system. A copy costs more than it seems: where results are
    kept, each goes into pages that the system must find and clear first, which takes about four times as long as the copy.
    """

    def __init__(self, limit_bytes: float) -> None:
        self._limit_bytes = limit_bytes
        self._lent: list[weakref.ref[np.ndarray]] = []      # of a view the array is the base
        self._lock = threading.Lock()

    def array(self, tensor: Tensor) -> np.ndarray:
        """The values of `tensor`, which its owner gives up."""
        array = tensor.numpy()
        with self._lock:
            held = [item for item in (reference() for reference in self._lent) if item is not None]
            is_lent = sum(item.nbytes for item in held) + array.nbytes <= self._limit_bytes
            self._lent = [weakref.ref(item) for item in ([*held, array] if is_lent else held)]
        return array if is_lent else array.copy()
