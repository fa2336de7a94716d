# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last worker ends soon after the first, whatever the bags: schedule and units, on a clock of their own."""
from __future__ import annotations

import heapq
import json
import random
from pathlib import Path

import pytest
from street_bags import write_street_bag

from fanet_ros.inference import SegmenterOptions
from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.jobs import Bag, Begin, Begun, Finished, Job, Outcome, Segment, Segmented, Settings, Unit
from fanet_ros.tools.segment_bags.schedule import Schedule
from fanet_ros.tools.segment_bags.units import unit_count
from fanet_ros.tools.segment_bags.work_times import WorkTimes

OPEN_S, WRITE_S = 0.1, 0.1      # to open a bag, and to write an image with its mask; to segment an image takes 0.5 to 2 s


class Simulated:
    """Workers that take as long for a job as real ones would, with units of up to four times the length of others."""

    def __init__(self, images: list[int], workers: int) -> None:
        self.seconds, self.segmented = 0.0, 0
        self.times = WorkTimes()
        self._images, self._chance = images, random.Random(7)
        self._settings = Settings('', '', '', SegmenterOptions(), (), 'input', False, False, '', min_units=10 * workers)
        schedule = Schedule(Bag('', str(number), str(number)) for number in range(len(images)))
        idle, running = [f'worker {number}' for number in range(workers)], []
        while True:
            while idle and (job := schedule.next_job(self.seconds)) is not None:
                outcome = self._done(job, idle.pop())
                heapq.heappush(running, (self.seconds + outcome.seconds, outcome.worker, outcome))
            if not running:
                break
            self.seconds, worker, outcome = heapq.heappop(running)
            idle.append(worker)
            self.times.add(outcome, self.seconds)
            self.segmented += schedule.take(outcome, self.seconds).images
        assert schedule.is_over

    def _done(self, job: Job, worker: str) -> Outcome:
        images = self._images[int(job.bag.name)]
        units, pace_s = unit_count(images, self._settings), self._chance.uniform(0.5, 2.0)
        if isinstance(job, Segment):
            own = images // units + (job.unit.number < images % units)
            return Outcome(job, Segmented(own, own), '', worker, OPEN_S + own * pace_s)
        if not isinstance(job, Begin):
            return Outcome(job, Finished(images, images), '', worker, OPEN_S + images * WRITE_S)
        if units > 1:
            return Outcome(job, Begun(images, tuple(Unit(number) for number in range(units))), '', worker, OPEN_S)
        return Outcome(job, Finished(images, images, images), '', worker, OPEN_S + images * (pace_s + WRITE_S))


@pytest.mark.parametrize(('images', 'workers'), [
    ([4000, *[5] * 60], 2), ([20000, *[5] * 200], 2), ([4000, 3500, 3000], 2), ([*range(6000, 100, -200)], 8), ([40] * 500, 16)])
def test_all_workers_end_within_a_tenth_of_the_whole(images: list[int], workers: int) -> None:
    run = Simulated(images, workers)
    found = run.times.workers()
    assert run.segmented == sum(images) and len(found) == workers
    assert min(item['ended_s'] for item in found) > 0.9 * run.seconds
    assert min(item['busy_s'] for item in found) > 0.9 * run.seconds
    assert max(item['ended_s'] for item in found) == pytest.approx(run.seconds, abs=1e-3)


def test_the_report_says_how_busy_the_worker_was(tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for name in 'abc':
        write_street_bag(tmp_path / 'in' / name, 3)
    assert main([str(tmp_path / 'in'), '--output', str(tmp_path / 'out'), *quick]) == 0
    report = json.loads((tmp_path / 'out/report.json').read_text())
    worker, = report['workers']
    assert worker['jobs'] == 3 and 0 < worker['busy_s'] <= worker['ended_s'] - report['ready_after_s'] + 1e-3 < report['seconds']
    assert 'ended' not in capsys.readouterr().out       # nothing to compare
