# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work on threads whose results are needed in order."""
from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, Generator, Iterable, TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')


def thread_count(asked: int, device_type: str) -> int:
    """`asked`; if 0, several to keep a GPU busy, but one for a network that itself needs the cores of the CPU."""
    return asked or (min(8, os.cpu_count() or 1) if device_type == 'cuda' else 1)


def in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Generator[Result, None, None]:
    """Yield function(item) of every item, computed by `threads` threads up to twice as many items ahead.

    An exception of `function` is raised in place of its result. `items` is read by the thread that reads the results, and may be
    endless: close() the iterator to stop.
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > 2 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
