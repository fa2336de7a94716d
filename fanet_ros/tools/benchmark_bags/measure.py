# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs segment_bags as a user would, and watches it from outside."""
from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional, Sequence

import psutil

from fanet_ros.tools.segment_bags.report import REPORT

SAMPLE_EVERY_S = 1.0


@dataclass(frozen=True)
class Memory:
    """Resident memory of one process in MiB: after a quarter of its time, and the last sample."""

    quarter_mib: int
    last_mib: int

    @classmethod
    def of(cls, samples: Sequence[int]) -> Memory:
        """Of the samples of its lifetime, at regular intervals."""
        return cls(samples[len(samples) // 4], samples[-1])


@dataclass(frozen=True)
class Run:
    """One run of segment_bags.

    :param seconds: of the whole process
    :param working_s: from the moment the first worker was ready to the end
    :param driver, workers: None, []: too short to be seen; the driver is also the worker if there is only one
    """

    name: str
    seconds: float
    working_s: float
    bags: int
    images: int
    masks: int
    segmented_now: int
    driver: Optional[Memory]
    workers: list[Memory] = field(default_factory=list)


def run_segment_bags(name: str, output: Path, arguments: Sequence[str], during: Optional[Callable[[], None]] = None) -> Run:
    """Run the command to its end.

    :param during: called in this thread once the process has been started
    :raises RuntimeError: it failed; the message ends with its last line
    """
    began_s = time.monotonic()
    with subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'segment_bags', *arguments, '--output', str(output), '--quiet'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        memory: dict[int, list[int]] = {}
        watcher = threading.Thread(target=_watch, args=(process, memory))
        watcher.start()
        if during is not None:
            during()
        assert process.stderr is not None
        errors = process.stderr.read()
        watcher.join()
    seconds = time.monotonic() - began_s
    if process.returncode != 0:
        raise RuntimeError(f'segment_bags ended with code {process.returncode}: {(errors.splitlines() or [""])[-1]}')
    report = json.loads((output / REPORT).read_text(encoding='utf-8'))
    own = memory.pop(process.pid, None)
    return Run(name, round(seconds, 2), round(report['seconds'] - (report['ready_after_s'] or 0.0), 2),
               report['bags_done'] + report['bags_skipped'], report['images'], report['masks'], report['segmented_now'],
               None if own is None else Memory.of(own), [Memory.of(samples) for samples in memory.values()])


def _watch(process: subprocess.Popen[str], memory: dict[int, list[int]]) -> None:
    """Sample the process and its workers until it ends. Workers of a cluster are not its children and are not seen."""
    while process.poll() is None:
        try:
            own = psutil.Process(process.pid)
            workers = [child for child in own.children(recursive=True) if child.name().startswith('ray::Worker')]
            for item in (own, *workers):
                if mib := item.memory_info().rss >> 20:       # 0: has ended
                    memory.setdefault(item.pid, []).append(mib)
        except psutil.Error:        # a process has just ended
            pass
        time.sleep(SAMPLE_EVERY_S)


def digest(output: Path) -> str:
    """SHA-256 over the names and contents of all bag files of an output, in order."""
    total = hashlib.sha256()
    for path in sorted(output.rglob('*.mcap')):
        total.update(path.relative_to(output).as_posix().encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
