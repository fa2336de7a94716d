# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread on which every frame is finished, while the next one is segmented."""
from __future__ import annotations

import queue
import threading
from typing import Callable, Optional

Job = Callable[[], object]


class FrameFinisher:
    """Runs what remains to be done for frames, in their order, from start() to close(). Jobs must not raise.

    :param done: is called after each put(), when its jobs are done and nothing of them is kept any more
    """

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._waiting: queue.Queue[Optional[list[Job]]] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._work, name='finish', daemon=True)

    def start(self) -> None:
        """Begin with the jobs."""
        self._thread.start()

    def put(self, jobs: list[Job]) -> None:
        """Have `jobs` done, which empties the list; waits while others wait already, so that who gives too much is slowed."""
        self._waiting.put(jobs)

    def close(self) -> None:
        """Wait for the jobs and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (jobs := self._waiting.get()) is not None:
            while jobs:
                jobs.pop(0)()       # off every list: what it holds is perhaps the last frame of a model that is to go
            self._done()
