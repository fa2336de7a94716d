# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers on a Ray cluster, an existing one or one started on this machine."""
from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Optional

import fanet_ros
from fanet_ros.error_text import error_text
from fanet_ros.tools.segment_bags.jobs import Job, Outcome, Settings
from fanet_ros.tools.segment_bags.pool import PoolError
from fanet_ros.tools.segment_bags.worker import Worker

LOOK_EVERY_S = 5.0          # how often to check for room for more workers
CONNECT_S = 5.0
PATIENCE_S = 60.0           # without any worker before a hint is printed
STARTS = 3                  # consecutive failed starts before giving up
OBJECT_STORE_BYTES = 80 * 2**20     # Ray's minimum: nothing large is sent through it


class RayPool:
    """Ray actors with one Segmenter each.

    The job of a worker that dies, alone or with its machine, fails; the worker is replaced as soon as there is room.

    :param workers: number of workers; 0: as many as there is room for, also on machines that join later
    :param address: HOST:PORT of a cluster, or 'auto'; '': start one on this machine with room for `workers`
    :param threads: CPU cores per worker
    :param per_gpu: workers that share a GPU
    :raises PoolError: Ray is missing, or there is no cluster at the address
    """

    def __init__(self, settings: Settings, workers: int, address: str, threads: int, per_gpu: int = 1) -> None:
        self._ray = ray = _ray()
        self._address, self._wanted, self._threads = address, workers, threads
        _check(address)
        on_sigterm = signal.getsignal(signal.SIGTERM)
        try:
            if address:
                context = ray.init(address=address, log_to_driver=False, namespace='fanet_ros')
            else:
                context = ray.init(address='local', num_cpus=workers * threads, object_store_memory=OBJECT_STORE_BYTES,
                                   log_to_driver=False, runtime_env={'env_vars': {'PYTHONPATH': _python_path()}})
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise PoolError(f'no Ray cluster at {address or "this machine"}: {error_text(error, 300)}; start one with: '
                            'ray start --head') from None
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)       # Ray puts its own there
        self.dashboard = str(getattr(context, 'dashboard_url', '') or '')
        has_gpu = ray.cluster_resources().get('GPU', 0) >= 1
        self._gpus = 1 / per_gpu if has_gpu and settings.options.device != 'cpu' else 0.0
        self._actor = ray.remote(Worker).options(num_cpus=threads, num_gpus=self._gpus, max_restarts=0)
        self._settings = ray.put(settings)
        self._starting: dict[Any, Any] = {}             # actors by the reference that resolves once they are ready
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Job]] = {}     # by the reference to the outcome of the job
        self._failed_starts, self._next_look_s = 0, 0.0
        self._node = ray.get_runtime_context().get_node_id()
        self._hint_at_s = time.monotonic() + PATIENCE_S
        self.description = ''
        for _ in range(workers):
            self._start()
        self._add_workers()

    @property
    def workers(self) -> int:
        return len(self._idle) + len(self._busy)

    @property
    def free(self) -> int:
        return len(self._idle)

    def submit(self, job: Job) -> None:
        actor = self._idle.pop()
        self._busy[actor.run.remote(job)] = actor, job

    def wait(self, timeout_s: float) -> list[Outcome]:
        self._add_workers()
        references = [*self._starting, *self._busy]
        if not references:
            time.sleep(min(timeout_s, 1.0))
            return []
        ready, _ = self._ray.wait(references, timeout=timeout_s)
        more, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
        found = []
        for reference in {*ready, *more}:
            if reference in self._starting:
                self._started(reference)
            else:
                found.append(self._outcome(reference))
        return found

    def close(self) -> None:
        for actor in [*self._starting.values(), *self._idle, *(actor for actor, _ in self._busy.values())]:
            self._ray.kill(actor)
        self._ray.shutdown()

    def _start(self) -> None:
        actor = self._actor.remote(self._settings)
        self._starting[actor.describe.remote()] = actor

    def _started(self, reference: Any) -> None:
        actor = self._starting.pop(reference)
        try:
            about = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._not_started(_reason(error))
            return
        if about['version'] != fanet_ros.__version__:
            self._ray.kill(actor)
            self._not_started(f'{about["node"]} has fanet_ros {about["version"]}, this machine {fanet_ros.__version__}')
            return
        self._failed_starts = 0
        self.description = self.description or about['segmenter']
        self._idle.append(actor)

    def _not_started(self, reason: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= STARTS and not self.workers:
            raise PoolError(f'no worker can start: {reason}')
        if self._wanted:
            self._start()

    def _hint(self, now_s: float) -> None:
        """Print once what the pool is waiting for, if there has been no worker for PATIENCE_S."""
        if self.workers:
            self._hint_at_s = now_s + PATIENCE_S
        elif now_s > self._hint_at_s:
            self._hint_at_s = float('inf')
            room = {name: count for name, count in self._ray.cluster_resources().items() if name in ('CPU', 'GPU')}
            print(f'waiting for a machine with room for a worker ({self._threads} CPU cores, {self._gpus:g} GPUs); the cluster has '
                  f'{room}; fewer --threads may help', file=sys.stderr)

    def _outcome(self, reference: Any) -> Outcome:
        actor, job = self._busy.pop(reference)
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            if isinstance(error, self._ray.exceptions.RayActorError):
                self._start()           # waits until there is room
            else:
                self._idle.append(actor)
            return Outcome(job, error=f'the worker was lost: {_reason(error)}')
        self._idle.append(actor)
        return outcome

    def _add_workers(self) -> None:
        """Every LOOK_EVERY_S: check the cluster, and if no number of workers was given, start as many as there is room for."""
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_EVERY_S
        self._hint(now_s)
        if not any(node['Alive'] and node['NodeID'] == self._node for node in self._ray.nodes()):
            # Workers belong to the driver's node and end with it.
            raise PoolError('this machine has dropped out of the Ray cluster: check its raylet, and run the same command again')
        if self._wanted or self._starting:
            return
        room = self._ray.available_resources()
        while room.get('CPU', 0) >= self._threads and room.get('GPU', 0) >= self._gpus:
            self._start()
            room = {'CPU': room['CPU'] - self._threads, 'GPU': room.get('GPU', 0) - self._gpus}


def _ray() -> Any:
    """The ray package, with usage statistics off unless the user has enabled them.

    :raises PoolError: ray is not installed
    """
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    os.environ.setdefault('RAY_worker_niceness', '0')       # as this process; Ray's own 15 would starve on a busy machine
    os.environ.setdefault('RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO', '0')      # silences a warning
    try:
        import ray
    except ImportError as error:
        raise PoolError(f'several workers need Ray ({error}): pip install ray') from None
    return ray


def _check(address: str) -> None:
    """Fail fast if nothing listens at the address: Ray itself retries for minutes."""
    host, _, port = address.rpartition(':')
    if not host or not port.isdecimal() or '/' in host:
        return      # '', 'auto', or a Ray client address
    try:
        socket.create_connection((host, int(port)), CONNECT_S).close()
    except OSError as error:
        raise PoolError(f'no Ray cluster at {address} ({error.strerror or error}): start one with: ray start --head') from None


def _python_path() -> str:
    """PYTHONPATH for workers on this machine, so that they import this very package."""
    paths = [str(Path(fanet_ros.__file__).parents[1]), *os.environ.get('PYTHONPATH', '').split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(path for path in paths if path))


def _reason(error: Optional[BaseException]) -> str:
    """The last line of Ray's long error text, which is the exception itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
