# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results downloaded from a GPU, as arrays that their consumers own."""
from __future__ import annotations

import threading
import weakref

import numpy as np
from torch import Tensor

PINNED_BYTES, PINNED_ARRAYS = 64 * 2**20, 64        # limits on what consumers of one network hold


class HostResults:
    """Returns tensors in pinned memory as arrays: the same memory, or a copy if consumers already hold much of it.

    PyTorch reuses pinned memory once neither tensor nor array refers to it, so that nothing still held is overwritten; but it
    returns none to the system. A copy costs more than it seems: if results are kept, each goes into fresh pages, which the
    system must allocate and clear first, at several times the cost of the copy itself.
    """

    def __init__(self, limit_bytes: int = PINNED_BYTES, limit: int = PINNED_ARRAYS) -> None:
        self._limit_bytes, self._limit = limit_bytes, limit
        self._lent: list[weakref.ref[np.ndarray]] = []      # a view keeps its base array alive
        self._lock = threading.Lock()

    def array(self, tensor: Tensor) -> np.ndarray:
        """The values of `tensor`, which the caller must not use any more."""
        array = tensor.numpy()
        with self._lock:
            held = [item for item in (reference() for reference in self._lent) if item is not None]
            is_lent = len(held) < self._limit and sum(item.nbytes for item in [*held, array]) <= self._limit_bytes
            self._lent = [weakref.ref(item) for item in ([*held, array] if is_lent else held)]
        return array if is_lent else array.copy()
