# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report of a run: one line per bag, a progress bar, and report.json."""
from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Optional

from tqdm import tqdm

from fanet_ros.atomic_file import replacing
from fanet_ros.tools.segment_bags.jobs import Bag, Finished, Outcome
from fanet_ros.tools.segment_bags.schedule import Step
from fanet_ros.tools.segment_bags.work_times import WorkTimes

REPORT = 'report.json'


class Report:
    """Collects the results of a run. Results of single bags go straight to a file, so that memory does not grow with the archive.

    :param output: output of the archive, for people
    :param folder: where report.json is written
    :param total_bytes: total size of the bags to segment
    :param bags: number of bags to segment
    :param quiet: no progress bar
    """

    def __init__(self, output: str, folder: Path, total_bytes: int, bags: int, quiet: bool) -> None:
        self.counts: Counter[str] = Counter()           # bags by state: 'done', 'skipped' or 'failed'
        self.images = self.masks = self.made = 0
        self.without_mask: Counter[str] = Counter()
        self.is_complete = False        # the run was not interrupted
        self._ready_after_s: Optional[float] = None
        self._output, self._folder, self._bags, self._begun_s = output, folder, bags, time.monotonic()
        self._lines = open(folder / f'{REPORT}.lines', 'w+', encoding='utf-8')
        self._shares: dict[str, float] = {}
        self._times = WorkTimes()
        self._bar = tqdm(total=total_bytes, unit='B', unit_scale=True, desc='segment', disable=True if quiet else None,
                         smoothing=0.05)

    def skipped(self, bag: Bag, done: dict[str, Any]) -> None:
        """Record a bag that a previous run finished, with its marker `done`."""
        self._count('skipped', int(done.get('images', 0)), int(done.get('masks', 0)), done.get('without_mask') or {})
        self._write(bag, 'skipped', images=done.get('images', 0), masks=done.get('masks', 0))

    def failed(self, bag: Bag, reason: str) -> None:
        """Record a bag that failed for good."""
        self.counts['failed'] += 1
        self._write(bag, 'failed', reason=reason)
        self._say(f'{bag.name}: failed: {reason}', sys.stderr)

    def working(self) -> None:
        """The first worker is ready; later calls have no effect."""
        if self._ready_after_s is None:
            self._ready_after_s = round(self.seconds, 3)

    def worked(self, outcome: Outcome) -> None:
        """Record which worker did a job, and how long that took."""
        self._times.add(outcome, self.seconds)

    def step(self, step: Step, workers: int) -> None:
        """Record progress on a bag, its completion or its failure."""
        bag, done = step.bag, step.finished
        self.made += step.images
        share = self._shares.pop(bag.output, 0.0)
        if done is not None or step.error:
            now = 1.0
        else:
            self._shares[bag.output] = now = share + step.share
        self._bar.update(round((now - share) * bag.size_bytes))
        if done is not None:
            self._finished(bag, done)
        elif step.error:
            self.failed(bag, step.error)
        self._bar.set_postfix_str(f'{self.counts["done"] + self.counts["failed"]}/{self._bags} bags, {self.made} frames, '
                                  f'{self.made / max(self.seconds, 1e-9):.1f} frames/s, {workers} workers', refresh=False)

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.monotonic() - self._begun_s

    def close(self, about: dict[str, Any]) -> None:
        """Write report.json, atomically, starting with the entries of `about`."""
        self._bar.close()
        head = {**about, 'complete': self.is_complete, 'bags_done': self.counts['done'], 'bags_skipped': self.counts['skipped'],
                'bags_failed': self.counts['failed'], 'images': self.images, 'masks': self.masks,
                'without_mask': dict(self.without_mask), 'segmented_now': self.made,
                'ready_after_s': self._ready_after_s, 'seconds': round(self.seconds, 3), 'workers': self._times.workers()}
        self._lines.seek(0)
        with replacing(self._folder / REPORT) as partial, open(partial, 'w', encoding='utf-8') as file:
            file.write(json.dumps(head, indent=1)[:-2] + ',\n "bags": [')
            for number, line in enumerate(self._lines):
                file.write((',\n  ' if number else '\n  ') + line.rstrip('\n'))
            file.write('\n ]\n}\n')
        self._lines.close()
        os.unlink(self._lines.name)

    def summary(self) -> str:
        """One line with the totals."""
        names = ('done', 'skipped', 'failed')
        return (f'{self._output}: ' + ', '.join(f'{self.counts[name]} bags {name}' for name in names)
                + f'; {self.masks} masks of {self.images} images'
                + (f' ({", ".join(f"{count} {reason}" for reason, count in sorted(self.without_mask.items()))})'
                   if self.without_mask else '')
                + f'; {self.made} segmented now in {self.seconds:.1f} s' + self._times.summary())

    def _finished(self, bag: Bag, done: Finished) -> None:
        self._count('done', done.images, done.masks, done.reasons)
        self._write(bag, 'done', images=done.images, masks=done.masks, without_mask=done.reasons)
        reasons = ', '.join(f'{count} {reason}' for reason, count in sorted(done.reasons.items()))
        self._say(f'{bag.name}: {done.masks} masks' + (f'; without one: {reasons}' if reasons else ''), sys.stdout)

    def _count(self, state: str, images: int, masks: int, reasons: dict[str, int]) -> None:
        self.counts[state] += 1
        self.images += images
        self.masks += masks
        self.without_mask.update(reasons)

    def _write(self, bag: Bag, state: str, **more: Any) -> None:
        self._lines.write(json.dumps({'name': bag.name, 'state': state, 'input': bag.input, **more}) + '\n')

    def _say(self, line: str, file: Optional[Any]) -> None:
        tqdm.write(line, file=file)
