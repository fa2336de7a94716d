# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ray workers give the masks of segment_bag, each exactly once, even if a worker or machine dies."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Callable

import psutil
import pytest
from stored_archives import Expected, report
from street_bags import read_messages, write_street_bag

from fanet_ros.model import resolve_checkpoint
from fanet_ros.tools.benchmark_bags.cluster import LocalCluster
from fanet_ros.tools.segment_bags.command import main

pytest.importorskip('ray')
pytestmark = pytest.mark.slow
LONG = 400
PORT = 26379
WAIT_S = 300.0


def command(archive: Path, output: Path, quick: list[str], *more: str) -> list[str]:
    return [str(archive), '--output', str(output), '--threads', '1', '--unit', '40', *quick, *more]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)        # leaves the CPU to the processes under test


def journals(output: Path) -> list[Path]:
    """Journals of the units that have been started."""
    return [path for path in output.glob('long.partial/unit_*/masks.journal') if path.stat().st_size]


def worker_at(journal: Path) -> int:
    """PID of the process that has the journal open; 0: none."""
    for process in psutil.process_iter():
        try:
            if any(item.path == str(journal) for item in process.open_files()):
                return process.pid
        except psutil.Error:
            continue
    return 0


def test_a_killed_worker_costs_only_time(tmp_path: Path, quick: list[str], expected: Expected) -> None:
    archive, output = tmp_path / 'in', tmp_path / 'out'
    write_street_bag(archive / 'long', LONG)
    for number in range(3):
        write_street_bag(archive / f'short_{number}', 3)
    killed = []

    def kill_one() -> None:
        wait_for(lambda: len(journals(output)) >= 3)
        wait_for(lambda: any(map(worker_at, journals(output))))
        pid = next(filter(None, map(worker_at, journals(output))))
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)
    killer = threading.Thread(target=kill_one)
    killer.start()
    code = main(command(archive, output, quick, '--workers', '2'))
    killer.join()
    assert code == 0 and killed and os.getpid() not in killed
    assert os.environ['RAY_USAGE_STATS_ENABLED'] == '0'
    assert read_messages(output / 'long') == expected(LONG)
    for number in range(3):
        assert read_messages(output / f'short_{number}') == expected(3)
    found = report(output)
    assert (found['images'], found['masks'], found['bags_done'], found['bags_failed']) == (LONG + 9, LONG + 9, 4, 0)
    assert not list(output.rglob('*.partial'))


def workers() -> list[psutil.Process]:
    """Processes of the actors that this process started through Ray."""
    return [process for process in psutil.Process().children(recursive=True) if process.name().startswith('ray::Worker')]


def test_a_run_whose_workers_cannot_be_replaced_stops_and_keeps_its_work(
        tmp_path: Path, quick: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    output, checkpoint = tmp_path / 'out', tmp_path / 'mine.safetensors'
    write_street_bag(tmp_path / 'in/long', LONG)
    shutil.copy(resolve_checkpoint('fanet18_camvid'), checkpoint)

    def kill_all() -> None:
        wait_for(lambda: len(journals(output)) >= 4)        # two are complete
        checkpoint.unlink()
        for process in workers():
            process.kill()
    killer = threading.Thread(target=kill_all)
    killer.start()
    code = main(command(tmp_path / 'in', output, quick, '--workers', '2', '--checkpoint', str(checkpoint)))
    killer.join()
    assert code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith('segment_bags: no worker can start: ')
    assert report(output)['segmented_now'] >= 40 and not report(output)['complete']


def test_a_new_driver_resumes_after_the_driver_was_killed(tmp_path: Path, quick: list[str], expected: Expected) -> None:
    archive, output = tmp_path / 'in', tmp_path / 'out'
    write_street_bag(archive / 'long', LONG)
    arguments = command(archive, output, quick, '--workers', '2')
    driver = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bags', *arguments], stderr=subprocess.DEVNULL)
    wait_for(lambda: len(journals(output)) >= 4)
    driver.kill()
    driver.wait()
    assert not (output / 'long').exists()
    assert main(arguments) == 0
    assert read_messages(output / 'long') == expected(LONG)
    assert report(output)['segmented_now'] <= LONG - 40


def test_a_machine_leaves_a_cluster_and_another_one_joins(tmp_path: Path, quick: list[str], expected: Expected) -> None:
    archive, output = tmp_path / 'in', tmp_path / 'out'
    write_street_bag(archive / 'long', 2 * LONG)
    with LocalCluster(PORT) as cluster:
        for _ in range(2):
            cluster.add()
        arguments = command(archive, output, quick, '--ray', cluster.address)
        driver = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bags', *arguments],
                                  stderr=open(tmp_path / 'stderr', 'w'))
        wait_for(lambda: len(journals(output)) >= 4 or driver.poll() is not None)
        cluster.lose(1)
        cluster.add()
        assert driver.wait(2 * WAIT_S) == 0, (tmp_path / 'stderr').read_text()
    assert read_messages(output / 'long') == expected(2 * LONG)
    assert report(output)['masks'] == 2 * LONG and not list(output.rglob('*.partial'))
