# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thread that finishes each frame while the next one is segmented."""
from __future__ import annotations

import queue
import threading
from typing import Callable, Optional

Job = Callable[[], object]


class FrameFinisher:
    """Runs the remaining jobs of frames in order, from start() to close(). Jobs must not raise.

    :param done: called once for each put(), when its jobs are done and all references to them are released
    """

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._waiting: queue.Queue[Optional[list[Job]]] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._work, name='finish', daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, jobs: list[Job]) -> None:
        """Queue `jobs`, a list that is emptied as they run. Blocks while another list is waiting, as backpressure."""
        self._waiting.put(jobs)

    def close(self) -> None:
        """Finish the queued jobs and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (jobs := self._waiting.get()) is not None:
            while jobs:
                jobs.pop(0)()       # popped: it may hold the last reference to a model that is being unloaded
            self._done()
