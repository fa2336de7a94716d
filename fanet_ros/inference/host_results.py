# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What came down from a GPU, as arrays that belong to whoever is given them."""
from __future__ import annotations

import threading
import weakref

import numpy as np
from torch import Tensor

PINNED_BYTES, PINNED_ARRAYS = 64 * 2**20, 64        # that consumers of one network may hold


class HostResults:
    """Gives tensors in pinned memory as arrays: the same memory, or a copy where much of it is held already.

    PyTorch uses such memory again once neither tensor nor array refers to it, so that nothing is overwritten that is still
    held; but it gives none back to the system. A copy costs more than it seems: where results are kept, each goes into pages
    that the system must find and clear first, which takes several times as long as the copy itself.
    """

    def __init__(self, limit_bytes: int = PINNED_BYTES, limit: int = PINNED_ARRAYS) -> None:
        self._limit_bytes, self._limit = limit_bytes, limit
        self._lent: list[weakref.ref[np.ndarray]] = []      # of a view the array is the base
        self._lock = threading.Lock()

    def array(self, tensor: Tensor) -> np.ndarray:
        """The values of `tensor`, which its owner gives up."""
        array = tensor.numpy()
        with self._lock:
            held = [item for item in (reference() for reference in self._lent) if item is not None]
            is_lent = len(held) < self._limit and sum(item.nbytes for item in [*held, array]) <= self._limit_bytes
            self._lent = [weakref.ref(item) for item in ([*held, array] if is_lent else held)]
        return array if is_lent else array.copy()
