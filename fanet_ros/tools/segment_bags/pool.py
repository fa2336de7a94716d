# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The interface between driver and workers, and its simplest implementation: one worker in this process."""
from __future__ import annotations

from typing import Optional, Protocol

from fanet_ros.tools.segment_bags.jobs import Job, Outcome, Settings
from fanet_ros.tools.segment_bags.worker import Worker


class Pool(Protocol):
    """Workers that may join and leave. If a worker leaves, its job fails."""

    @property
    def workers(self) -> int:
        """Number of workers, busy or idle."""
        ...

    @property
    def free(self) -> int:
        """Number of jobs that can be submitted now."""
        ...

    def submit(self, job: Job) -> None:
        """Give a job to a free worker; only if `free` > 0."""
        ...

    def wait(self, timeout_s: float) -> list[Outcome]:
        """Outcomes of finished jobs: returns as soon as there are any, or empty after `timeout_s`.

        :raises PoolError: there are no workers and none can be started
        """
        ...

    def close(self) -> None:
        """Stop all workers, even busy ones."""
        ...


class PoolError(ValueError):
    """No workers are available; the message says in one line why, and what to do."""


class LocalPool:
    """One worker in this process: submit() stores the job, wait() runs it, however long it takes.

    :raises SegmentationError: see Worker
    """

    workers = 1

    def __init__(self, settings: Settings) -> None:
        self._worker = Worker(settings)
        self._job: Optional[Job] = None
        self.description = str(self._worker.describe()['segmenter'])

    @property
    def free(self) -> int:
        return int(self._job is None)

    def submit(self, job: Job) -> None:
        self._job = job

    def wait(self, timeout_s: float) -> list[Outcome]:
        if self._job is None:
            return []
        job, self._job = self._job, None
        return [self._worker.run(job)]

    def close(self) -> None:
        pass
