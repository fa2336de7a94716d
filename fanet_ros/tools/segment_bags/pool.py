# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers, as the driver sees them; and the one that needs nothing else: this process."""
from __future__ import annotations

from typing import Optional, Protocol

from fanet_ros.tools.segment_bags.jobs import Job, Outcome, Settings
from fanet_ros.tools.segment_bags.worker import Worker


class Pool(Protocol):
    """Workers that may come and go. A worker that goes fails the job that it had."""

    @property
    def workers(self) -> int:
        """How many are at work or ready for it."""
        ...

    @property
    def free(self) -> int:
        """How many jobs can be submitted now."""
        ...

    def submit(self, job: Job) -> None:
        """Give a job to a free worker."""
        ...

    def wait(self, timeout_s: float) -> list[Outcome]:
        """What has come of jobs, as soon as there is anything, at the latest after `timeout_s`.

        :raises PoolError: no worker can be had any more
        """
        ...

    def close(self) -> None:
        """Stop all workers, whatever they do."""
        ...


class PoolError(ValueError):
    """There are no workers; one line: why, and what to do."""


class LocalPool:
    """One worker in this process: submit() keeps the job, wait() does it.

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
