# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Order of jobs, and retries."""
from __future__ import annotations

import random

import pytest

from fanet_ros.tools.segment_bags.jobs import Assemble, Bag, Begin, Begun, Finished, Job, Outcome, Segment, Segmented, Unit
from fanet_ros.tools.segment_bags.schedule import TRIES, Schedule, Step


def bags(count: int) -> list[Bag]:
    return [Bag(f'/in/{number}', f'/out/{number}', str(number)) for number in range(count)]


def answer(job: Job, units: int) -> Outcome:
    """Outcome from a worker; every bag has 10 images per unit."""
    if isinstance(job, Begin):
        result = (Begun(10 * units, tuple(Unit(number) for number in range(units))) if units > 1
                  else Finished(10, 10, 10))
        return Outcome(job, result)
    return Outcome(job, Segmented(10, 10) if isinstance(job, Segment) else Finished(10 * units, 10 * units))


@pytest.mark.parametrize('workers', [1, 3])
def test_every_unit_is_done_once_and_each_bag_is_assembled_after_its_last_unit(workers: int) -> None:
    schedule, order, steps, running = Schedule(bags(5)), [], [], []
    chance = random.Random(4)
    while True:
        while len(running) < workers and (job := schedule.next_job(0.0)) is not None:
            running.append(job)
            order.append(job)
        if not running:
            break
        job = running.pop(chance.randrange(len(running)))
        steps.append(schedule.take(answer(job, 1 + int(job.bag.name)), 0.0))
    assert schedule.is_over
    assert sorted(step.bag.name for step in steps if step.finished) == list('01234')
    assert sum(step.images for step in steps) == 10 * (1 + 2 + 3 + 4 + 5)
    for bag in bags(5):
        units = [job.unit.number for job in order if isinstance(job, Segment) and job.bag == bag]
        assert units == list(range(1 + int(bag.name)))[:len(units)] and len(units) in (0, 1 + int(bag.name))
        of_bag = [job for job in order if job.bag == bag]
        assert len([job for job in of_bag if isinstance(job, Assemble)]) == (len(units) > 0)
        assert isinstance(of_bag[-1], Assemble if units else Begin)


def test_a_new_bag_is_opened_only_when_no_other_job_is_ready() -> None:
    opened = []

    def watched() -> object:
        for bag in bags(3):
            opened.append(bag.name)
            yield bag
    schedule = Schedule(watched())      # type: ignore[arg-type]
    begin = schedule.next_job(0.0)
    assert begin is not None
    schedule.take(answer(begin, 4), 0.0)
    units = [schedule.next_job(0.0) for _ in range(4)]
    assert opened == ['0'] and all(isinstance(job, Segment) for job in units)


def test_a_failed_job_is_retried_after_a_pause() -> None:
    schedule = Schedule(bags(1))
    job = schedule.next_job(0.0)
    assert job is not None
    assert schedule.take(Outcome(job, error='the drive was unavailable'), 0.0) == Step(job.bag)
    assert schedule.next_job(0.0) is None and not schedule.is_over
    again = schedule.next_job(1000.0)
    assert again == Begin(job.bag, tries=1)
    assert schedule.take(answer(again, 1), 0.0).finished == Finished(10, 10, 10) and schedule.is_over


def test_a_unit_that_always_fails_fails_only_its_bag() -> None:
    schedule, now_s, steps, tried = Schedule(bags(2)), 0.0, [], 0
    while True:
        job = schedule.next_job(now_s)
        if job is None:
            if schedule.is_over:
                break
            now_s += 1000.0
            continue
        broken = isinstance(job, Segment) and job.bag.name == '0' and job.unit.number == 1
        tried += broken
        steps.append(schedule.take(Outcome(job, error='broken') if broken else answer(job, 3), now_s))
    assert tried == TRIES
    assert [(step.bag.name, step.error) for step in steps if step.error] == [('0', 'broken')]
    assert [step.bag.name for step in steps if step.finished] == ['1']


def test_a_failed_bag_is_reported_once_although_a_unit_is_still_running() -> None:
    schedule = Schedule(bags(1))
    begin = schedule.next_job(0.0)
    assert begin is not None
    schedule.take(answer(begin, 2), 0.0)
    first, second = schedule.next_job(0.0), schedule.next_job(0.0)
    assert first is not None and second is not None
    for attempt in range(TRIES):
        step = schedule.take(Outcome(first, error='gone'), 1000.0 * attempt)
        first = schedule.next_job(1000.0 * (attempt + 1)) or first
    assert step.error == 'gone' and not schedule.is_over
    assert schedule.take(Outcome(second, error='gone'), 9000.0) == Step(second.bag)
    assert schedule.is_over and schedule.next_job(99999.0) is None
