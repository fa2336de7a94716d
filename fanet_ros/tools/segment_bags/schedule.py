# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses the next job until every bag is finished or has failed."""
from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Iterable, Optional

from fanet_ros.tools.segment_bags.jobs import Assemble, Bag, Begin, Begun, Finished, Job, Outcome, Segment, Segmented

TRIES = 3
PAUSES_S = (1.0, 5.0)      # before the second and third attempt: a network drive may be back by then


@dataclass(frozen=True)
class Step:
    """Progress on a bag.

    :param images: images segmented in this step
    :param share: share of the bag segmented in this step, 0 to 1; counts units only, not their assembly
    :param finished: set if the bag is complete
    :param error: set if the bag has failed for good
    """

    bag: Bag
    images: int = 0
    share: float = 0.0
    finished: Optional[Finished] = None
    error: str = ''


@dataclass
class _OpenBag:
    """A bag that was cut into units."""

    images: int
    left: int       # units not yet segmented


class Schedule:
    """Jobs for bags in the given order. Units of open bags come before new bags, so that few bags are in progress at a time.

    :param bags: consumed lazily, one when no other job is ready
    """

    def __init__(self, bags: Iterable[Bag]) -> None:
        self._bags = iter(bags)
        self._ready: deque[Job] = deque()
        self._paused: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._open: dict[str, _OpenBag] = {}
        self._running: dict[str, int] = {}      # number of running jobs by output of their bag
        self._given_up: set[str] = set()        # outputs of failed bags with jobs still running

    def next_job(self, now_s: float) -> Optional[Job]:
        """The next job for a free worker; None: nothing to do at present."""
        while self._paused and self._paused[0][0] <= now_s:
            self._ready.append(heapq.heappop(self._paused)[2])
        job = self._ready.popleft() if self._ready else next((Begin(bag) for bag in self._bags), None)
        if job is not None:
            self._running[job.bag.output] = self._running.get(job.bag.output, 0) + 1
        return job

    @property
    def is_over(self) -> bool:
        """Whether no job is running or waiting; only meaningful after next_job() returned None."""
        return not (self._running or self._ready or self._paused)

    def take(self, outcome: Outcome, now_s: float) -> Step:
        """Process the outcome of a job from next_job(); returns the progress it made."""
        output = outcome.job.bag.output
        self._running[output] -= 1
        if not self._running[output]:
            del self._running[output]
        if output in self._given_up:
            return self._after_failure(outcome)
        return self._failed(outcome, now_s) if outcome.error else self._done(outcome)

    def _done(self, outcome: Outcome) -> Step:
        bag, result = outcome.job.bag, outcome.result
        if isinstance(result, Begun):
            self._open[bag.output] = _OpenBag(result.images, len(result.units))
            self._ready.extend(Segment(bag, unit) for unit in result.units)
            return Step(bag)
        if isinstance(result, Finished):
            self._open.pop(bag.output, None)
            return Step(bag, result.made, finished=result)
        opened = self._open[bag.output]
        opened.left -= 1
        if not opened.left:
            self._ready.appendleft(Assemble(bag))
        return Step(bag, result.made, result.images / max(opened.images, 1))

    def _failed(self, outcome: Outcome, now_s: float) -> Step:
        """Retry after a pause, or give up on the bag."""
        job, bag = outcome.job, outcome.job.bag
        if job.tries + 1 < TRIES:
            again = dataclasses.replace(job, tries=job.tries + 1)
            heapq.heappush(self._paused, (now_s + PAUSES_S[job.tries], next(self._numbers), again))
            return Step(bag)
        self._ready = deque(item for item in self._ready if item.bag.output != bag.output)
        self._paused = [item for item in self._paused if item[2].bag.output != bag.output]
        heapq.heapify(self._paused)
        self._open.pop(bag.output, None)
        if bag.output in self._running:
            self._given_up.add(bag.output)
        return Step(bag, error=outcome.error)

    def _after_failure(self, outcome: Outcome) -> Step:
        """Outcome of a job whose bag has failed in the meantime."""
        if outcome.job.bag.output not in self._running:
            self._given_up.discard(outcome.job.bag.output)
        result = outcome.result
        return Step(outcome.job.bag, result.made if isinstance(result, Segmented) else 0)
