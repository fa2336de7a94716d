# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is to be done next, until every bag is finished or given up."""
from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Iterable, Optional

from fanet_ros.tools.segment_bags.jobs import Assemble, Bag, Begin, Begun, Finished, Job, Outcome, Segment, Segmented

TRIES = 3
PAUSES_S = (1.0, 5.0)      # before the second try and the third: a network drive may be back by then


@dataclass(frozen=True)
class Step:
    """Some of a bag is done, or all of it.

    :param images: segmented now
    :param share: of the bag that is done by this, 0 to 1; its units alone, not their assembly
    :param finished: the bag is in its place
    :param error: the bag is given up, because of this
    """

    bag: Bag
    images: int = 0
    share: float = 0.0
    finished: Optional[Finished] = None
    error: str = ''


@dataclass
class _OpenBag:
    """A bag that was cut."""

    images: int
    left: int       # units


class Schedule:
    """Bags in the order given; those begun come before new ones, so that few are open at a time.

    :param bags: taken one by one, when there is nothing else to do
    """

    def __init__(self, bags: Iterable[Bag]) -> None:
        self._bags = iter(bags)
        self._ready: deque[Job] = deque()
        self._paused: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._open: dict[str, _OpenBag] = {}
        self._running: dict[str, int] = {}      # jobs by output of their bag
        self._given_up: set[str] = set()        # of which a job may still run

    def next_job(self, now_s: float) -> Optional[Job]:
        """What a free worker is to do; None: nothing at present."""
        while self._paused and self._paused[0][0] <= now_s:
            self._ready.append(heapq.heappop(self._paused)[2])
        job = self._ready.popleft() if self._ready else next((Begin(bag) for bag in self._bags), None)
        if job is not None:
            self._running[job.bag.output] = self._running.get(job.bag.output, 0) + 1
        return job

    @property
    def is_over(self) -> bool:
        """Whether nothing runs or waits; ask when next_job() had nothing."""
        return not (self._running or self._ready or self._paused)

    def take(self, outcome: Outcome, now_s: float) -> Step:
        """Go on from what became of a job that next_job() gave."""
        output = outcome.job.bag.output
        self._running[output] -= 1
        if not self._running[output]:
            del self._running[output]
        if output in self._given_up:
            return self._too_late(outcome)
        return self._failed(outcome, now_s) if outcome.error else self._done(outcome)

    def _done(self, outcome: Outcome) -> Step:
        bag, result = outcome.job.bag, outcome.result
        if isinstance(result, Begun):
            self._open[bag.output] = _OpenBag(result.images, len(result.stretches))
            self._ready.extend(Segment(bag, stretch) for stretch in result.stretches)
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
        """Try again after a pause, or give the bag up."""
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

    def _too_late(self, outcome: Outcome) -> Step:
        """A job of a bag that was given up meanwhile."""
        if outcome.job.bag.output not in self._running:
            self._given_up.discard(outcome.job.bag.output)
        result = outcome.result
        return Step(outcome.job.bag, result.made if isinstance(result, Segmented) else 0)
