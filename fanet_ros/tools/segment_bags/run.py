# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The driver: finds the bags, decides which to segment, hands them to the workers and reports the results."""
from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

from tqdm import tqdm

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.remote_path import any_path
from fanet_ros.file_lock import lock_file
from fanet_ros.inference import SegmenterOptions
from fanet_ros.inference.device import choose_device
from fanet_ros.inference.engines import require_engine
from fanet_ros.model import resolve_checkpoint
from fanet_ros.model.checkpoint_files import display_name
from fanet_ros.tools.row_table import has_pyarrow
from fanet_ros.tools.segment_bags.done import file_sha256, input_state, key_of
from fanet_ros.tools.segment_bags.find import check_output, find_bags
from fanet_ros.tools.segment_bags.jobs import Bag, Settings
from fanet_ros.tools.segment_bags.pool import LocalPool, Pool
from fanet_ros.tools.segment_bags.report import REPORT, Report
from fanet_ros.tools.segment_bags.schedule import Schedule
from fanet_ros.tools.segment_bags.store import Store, open_store
from fanet_ros.tools.segment_bags.table import TABLE

WAIT_S = 0.5


def segment_bags(arguments: argparse.Namespace) -> int:
    """Segment all bags; returns 0 if all are done, 1 if some failed, 2 if all failed.

    :raises BagError: no bags, or another process uses the same output
    :raises SegmentationError: unusable checkpoint, device or resolution
    :raises PoolError: no workers available, or none any more
    """
    output = arguments.output.absolute()
    bags = find_bags(arguments.sources, output, arguments.root)
    if not bags:
        raise BagError(f'no bags in {", ".join(map(str, arguments.sources))}: expected folders with metadata.yaml, .mcap or .db3 '
                       'files')
    check_output(arguments.sources, bags, output)
    settings = _settings(arguments)
    with ExitStack() as stack:
        store = open_store(output, arguments.work and arguments.work.absolute())
        stack.enter_context(_locked(store.work))
        to_do, skipped, refused = _sort_bags(bags, settings, arguments.replace, store)
        stack.callback(store.publish, REPORT)
        report = Report(str(output), store.work, sum(bag.size_bytes for bag in to_do), len(to_do), arguments.quiet)
        stack.callback(lambda: report.close(
            {'checkpoint': {'name': settings.checkpoint_name, 'sha256': settings.checkpoint_sha256}}))
        for bag, done in skipped:
            report.skipped(bag, done)
        for bag, reason in refused:
            report.failed(bag, reason)
        if to_do:
            if not arguments.ray:       # the machines of a cluster may have other engines
                require_engine(choose_device(arguments.device), arguments.engine, arguments.precision)
            store.begin()
            _run(to_do, _pool(arguments, settings, stack), report)
        store.finish(settings.table)
        report.is_complete = True
    print(report.summary())
    good = report.counts['done'] + report.counts['skipped']
    return 0 if not report.counts['failed'] else 1 if good else 2


def _run(bags: list[Bag], pool: Pool, report: Report) -> None:
    schedule = Schedule(bags)
    while True:
        while pool.free:
            job = schedule.next_job(time.monotonic())
            if job is None:
                break
            report.working()
            pool.submit(job)
        if schedule.is_over and pool.free:
            return
        outcomes = pool.wait(WAIT_S)
        for outcome in outcomes:
            report.worked(outcome)
            report.step(schedule.take(outcome, time.monotonic()), pool.workers)
        if not outcomes and pool.free:
            time.sleep(0.02)        # a failed job is waiting for its next attempt


def _settings(arguments: argparse.Namespace) -> Settings:
    path = resolve_checkpoint(arguments.checkpoint).absolute()
    height, width = arguments.resolution
    options = SegmenterOptions.taken_from(arguments, input_height=height, input_width=width, num_threads=arguments.threads)
    class_map = Path(arguments.class_map).expanduser().absolute() if arguments.class_map else None
    calibration = Path(arguments.calibration_images).expanduser().absolute() if arguments.calibration_images else None
    if class_map is not None:
        options = replace(options, class_map=str(class_map))
    if calibration is not None:
        options = replace(options, calibration_images=str(calibration))
    digest = file_sha256(path)
    content = {
        'checkpoint': digest, 'class_map': file_sha256(class_map) if class_map else '', 'engine': arguments.engine,
        'precision': arguments.precision, 'resolution': [height, width], 'topics': arguments.topics,
        'storage': arguments.storage, 'calibration_images': '' if calibration is None else str(calibration)}
    if arguments.masks != 'raw':        # as before there was a choice, so that bags from then stay valid
        content['masks'] = arguments.masks
    table = not arguments.no_table
    if table and not has_pyarrow():
        print(f'no {TABLE} without pyarrow: pip install pyarrow', file=sys.stderr)
        table = False
    return Settings(str(path), display_name(path), digest, options, tuple(arguments.topics), arguments.storage,
                    arguments.masks == 'png', table, key_of(content), arguments.unit, _min_units(arguments))


def _min_units(arguments: argparse.Namespace) -> int:
    """Minimum number of units per bag: at least ten per worker, so that all workers finish a bag at nearly the same time."""
    if not arguments.workers:
        return 100          # a cluster of unknown size
    return 1 if arguments.workers == 1 else 10 * arguments.workers


def _sort_bags(bags: list[Bag], settings: Settings, replaces: bool,
               store: Store) -> tuple[list[Bag], list[tuple[Bag, dict[str, Any]]], list[tuple[Bag, str]]]:
    """(bags to segment, largest first; finished bags with their markers; bags that cannot be segmented, with the reason)"""
    to_do, skipped, refused = [], [], []
    for bag in bags:
        bag = replace(bag, partial=store.partial(bag))
        try:
            digest = bag.input_digest or input_state(any_path(bag.input))[0]
            done = store.read_done(bag)
        except BagError as error:
            refused.append((bag, str(error)))
            continue
        if done is None:
            to_do.append(bag)
        elif done.get('key') == settings.key and done.get('input') == digest:
            skipped.append((bag, done))
        elif done.get('key') != settings.key and not replaces:
            reason = (f'{bag.output} was made with another checkpoint or other options: choose another --output, '
                      'or add --replace')
            refused.append((bag, reason))
        else:
            to_do.append(replace(bag, replace=True))
    return sorted(to_do, key=lambda bag: -bag.size_bytes), skipped, refused


def _pool(arguments: argparse.Namespace, settings: Settings, stack: ExitStack) -> Pool:
    if arguments.workers == 1 and not arguments.ray:
        local = LocalPool(settings)
        tqdm.write(local.description, file=sys.stderr)      # not into the progress bar
        return local
    from fanet_ros.tools.segment_bags.ray_pool import RayPool
    own = 1 if arguments.ray else max(1, (os.cpu_count() or 1) // arguments.workers)      # machines of a cluster may be smaller
    threads = arguments.threads or own
    if not arguments.threads:
        settings = replace(settings, options=replace(settings.options, num_threads=threads))
    pool = RayPool(settings, arguments.workers, arguments.ray, threads, arguments.per_gpu)
    stack.callback(pool.close)
    if pool.dashboard:
        tqdm.write(f"Ray's dashboard: http://{pool.dashboard}", file=sys.stderr)
    return pool


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    """Keep other runs from using the same output.

    :raises BagError: another process holds the lock
    """
    try:
        lock = lock_file(output / '.lock')
    except BlockingIOError:
        raise BagError(f'{output} is in use by another process: wait for it, or stop it') from None
    with lock:
        yield
