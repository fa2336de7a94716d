# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results that threads compute ahead, taken in order."""
from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, Generic, TypeVar

T = TypeVar('T')


def thread_count(asked: int, device_type: str) -> int:
    """`asked`; if 0, several to keep a GPU busy, but one for a network that itself needs the cores of the CPU."""
    return asked or (min(8, os.cpu_count() or 1) if device_type == 'cuda' else 1)


class Prefetcher(Generic[T]):
    """Computes load(first), load(first + 1), ... on threads, ahead of use. Use it as a context manager."""

    def __init__(self, load: Callable[[int], T], first: int, threads: int) -> None:
        self._load, self._next = load, first
        self._pool = ThreadPoolExecutor(threads)
        self._upcoming: deque[Future[T]] = deque()
        for _ in range(threads + 1):
            self._submit()

    def __enter__(self) -> Prefetcher[T]:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self) -> T:
        """The next result; raises what load() raised."""
        result = self._upcoming.popleft().result()
        self._submit()
        return result

    def _submit(self) -> None:
        self._upcoming.append(self._pool.submit(self._load, self._next))
        self._next += 1
