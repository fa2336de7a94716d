# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster of several machines, all on this one: a raylet with an address of its own stands for each."""
from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Callable, Optional

import psutil

import fanet_ros

WAIT_S = 300.0
RAY = (sys.executable, '-m', 'ray.scripts.scripts')


class LocalCluster:
    """A head without CPUs for workers, and machines with one each. Use as a context manager.

    :raises TimeoutError: a machine does not join
    """

    def __init__(self, port: int) -> None:
        self.address = f'127.0.0.1:{port}'
        self._machines: list[subprocess.Popen[bytes]] = []
        # A driver belongs to the machine at its own address, which is the head's, so the others need different addresses.
        self._start('--head', f'--port={port}', '--include-dashboard=false', '--num-cpus=0')
        self._wait(lambda: subprocess.run([*RAY, 'health-check', '--address', self.address], capture_output=True).returncode == 0)
        self._wait(lambda: len(self._alive()) == 1)

    def add(self) -> None:
        """Add a machine; returns once it belongs to the cluster: two that start together would choose the same socket names."""
        own = f'127.0.0.{len(self._machines) + 1}'
        self._start(f'--address={self.address}', f'--node-ip-address={own}', '--num-cpus=1')
        self._wait(lambda: own in self._alive())

    def lose(self, number: int) -> None:
        """Kill all processes of the machine that was added as `number` (from 1) at once, as in a power failure."""
        _kill(self._machines[number])

    def __enter__(self) -> LocalCluster:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        for machine in reversed(self._machines):
            if machine.poll() is None:
                _kill(machine)

    def _start(self, *arguments: str) -> None:
        environment = {**os.environ, 'RAY_USAGE_STATS_ENABLED': '0', 'PYTHONPATH': str(Path(fanet_ros.__file__).parents[1])}
        self._machines.append(subprocess.Popen(
            [*RAY, 'start', '--block', '--object-store-memory=80000000', *arguments], env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True))

    def _alive(self) -> list[str]:
        """Addresses of the machines. Asked by another process, since a process can be in one cluster only."""
        code = (f'import ray; ray.init(address={self.address!r}, log_to_driver=False); '
                "print(*(node['NodeManagerAddress'] for node in ray.nodes() if node['Alive']))")
        try:
            return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60).stdout.split()
        except subprocess.TimeoutExpired:
            return []

    @staticmethod
    def _wait(condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f'a machine of the local Ray cluster did not start within {WAIT_S:.0f} s')
            time.sleep(0.05)        # leaves the CPU to the machines


def _kill(machine: subprocess.Popen[bytes]) -> None:
    for process in [*psutil.Process(machine.pid).children(recursive=True), psutil.Process(machine.pid)]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    machine.wait()
