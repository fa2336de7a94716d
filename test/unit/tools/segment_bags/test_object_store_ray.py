# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ray workers that read an S3 server and write to it: each image is masked once, even if the workers or the driver are killed."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import psutil
import pytest
from object_store import ObjectStore, files, messages, object_store, put
from street_bags import write_street_bag

from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.done import DONE
from fanet_ros.tools.segment_bags.store import UPLOADING

pytest.importorskip('ray')
pytestmark = pytest.mark.slow
Expected = Callable[[int], list[tuple[str, int, bytes]]]
ARCHIVE, OUTPUT = 's3://archive/in', 's3://archive/out'
LONG, SHORT = 100, 3
# While it is read, while its files are uploaded, and when only its marker is missing.
MOMENTS = [('GET', '/archive/in/long/long.mcap', 9), ('PUT', '/archive/out/long/metadata.yaml', 1),
           ('PUT', f'/archive/out/long/{DONE}', 1)]


@pytest.fixture(name='store')
def store_fixture(tmp_path: Path) -> Iterator[ObjectStore]:
    """With an archive of two bags."""
    with object_store() as store:
        put(write_street_bag(tmp_path / 'in/long', LONG), f'{ARCHIVE}/long')
        put(write_street_bag(tmp_path / 'in/short', SHORT), f'{ARCHIVE}/short')
        yield store


def command(tmp_path: Path, quick: list[str]) -> list[str]:
    work = str(tmp_path / 'work')
    return [ARCHIVE, '--output', OUTPUT, '--work', work, '--unit', '40', '--threads', '1', '--workers', '2', *quick]


def act_at(store: ObjectStore, moment: tuple[str, str, int], act: Callable[[], None]) -> list[str]:
    """Call `act` before the server answers the n-th request of this kind; the list then has its path."""
    method, path, count = moment
    seen: list[str] = []
    acted: list[str] = []

    def watch(*request: str) -> None:
        if request == (method, path):
            seen.append(path)
            if len(seen) == count:
                acted.append(path)
                act()
    store.before = watch
    return acted


def kill_workers() -> None:
    for process in psutil.Process().children(recursive=True):
        if process.name().startswith('ray::Worker'):
            process.kill()


def report() -> dict[str, Any]:
    found = json.loads(files().cat_file(f'{OUTPUT}/report.json'))
    assert isinstance(found, dict)
    return found


def check(tmp_path: Path, store: ObjectStore, expected: Expected) -> None:
    """Both bags are complete, and whenever a marker was written, all files of its bag had been written before."""
    assert messages(f'{OUTPUT}/long') == expected(LONG) and messages(f'{OUTPUT}/short') == expected(SHORT)
    found = report()
    assert (found['complete'], found['images'], found['masks'], found['bags_failed']) == (True, LONG + SHORT, LONG + SHORT, 0)
    assert not files().glob(f'{OUTPUT}/**/{UPLOADING}') and not list((tmp_path / 'work').rglob('*.partial'))
    for bag in ('long', 'short'):
        uploads: list[list[str]] = []
        for name in (path.rpartition('/')[2] for method, path, _ in store.requests
                     if method == 'PUT' and path.startswith(f'/archive/out/{bag}/')):
            if name == UPLOADING:
                uploads.append([])
            else:
                uploads[-1].append(name)
        whole = sorted(path.rpartition('/')[2] for path in files().find(f'{OUTPUT}/{bag}') if not path.endswith(DONE))
        assert uploads[-1] == [*whole, DONE] and all(DONE not in names or names == [*whole, DONE] for names in uploads)


def test_workers_read_and_write_the_store(tmp_path: Path, store: ObjectStore, quick: list[str], expected: Expected) -> None:
    assert main(command(tmp_path, quick)) == 0
    check(tmp_path, store, expected)
    workers = report()['workers']
    assert 1 <= len(workers) <= 2 and sum(item['jobs'] for item in workers) == 4 + 2 + 1    # units of the long bag, begin, end


@pytest.mark.parametrize('moment', MOMENTS)
def test_killed_workers_cost_only_time(
        tmp_path: Path, store: ObjectStore, quick: list[str], expected: Expected, moment: tuple[str, str, int]) -> None:
    acted = act_at(store, moment, kill_workers)
    assert main(command(tmp_path, quick)) == 0 and acted
    check(tmp_path, store, expected)
    assert report()['segmented_now'] <= LONG + SHORT


@pytest.mark.parametrize('moment', MOMENTS)
def test_a_new_driver_resumes_after_the_driver_was_killed(
        tmp_path: Path, store: ObjectStore, quick: list[str], expected: Expected, moment: tuple[str, str, int]) -> None:
    def kill() -> None:
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    acted = act_at(store, moment, kill)
    driver = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bags', *command(tmp_path, quick)],
                              stderr=subprocess.DEVNULL)
    assert driver.wait() == -signal.SIGKILL and acted
    assert not files().exists(f'{OUTPUT}/report.json')
    assert main(command(tmp_path, quick)) == 0
    check(tmp_path, store, expected)
