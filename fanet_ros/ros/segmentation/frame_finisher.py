# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread on which a frame is finished, while the next one is segmented."""
from __future__ import annotations

import queue
import threading
from typing import Callable, Optional


class FrameFinisher:
    """Runs jobs one after the other, in their order, from start() to close(). They must not raise.

    :param done: is called after each, when nothing of the job is kept any more
    """

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._jobs: queue.Queue[Optional[Callable[[], None]]] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._work, name='finish', daemon=True)

    @property
    def is_idle(self) -> bool:
        """Whether all jobs are done."""
        return not self._jobs.unfinished_tasks

    def start(self) -> None:
        """Begin with the jobs."""
        self._thread.start()

    def put(self, job: Callable[[], None]) -> None:
        """Have `job` done. Waits while another one waits already: who gives more than can be done is slowed down."""
        self._jobs.put(job)

    def close(self) -> None:
        """Wait for the jobs and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job         # and what it holds: perhaps the last frame of a model that is to go
            self._jobs.task_done()
            self._done()
