# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers of a Ray cluster, or of one that is started on this machine."""
from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any, Optional

import fanet_ros
from fanet_ros.tools.segment_bags.jobs import Job, Outcome, Settings
from fanet_ros.tools.segment_bags.pool import PoolError
from fanet_ros.tools.segment_bags.worker import Worker

LOOK_EVERY_S = 5.0          # for room for more workers
CONNECT_S = 5.0
PATIENCE_S = 60.0
STARTS = 3                  # that may fail one after the other
OBJECT_STORE_BYTES = 80 * 2**20     # Ray's least: nothing large goes through it


class RayPool:
    """Actors with a Segmenter each.

    A worker that dies, alone or with its machine, is replaced as soon as there is room for another; its job has failed.

    :param workers: how many; 0: as many as there is room for, at any time
    :param address: of a cluster, or 'auto'; '': one is started here, for `workers` of them
    :param threads: CPU cores of a worker
    :raises PoolError: Ray is missing, or there is no cluster at the address
    """

    def __init__(self, settings: Settings, workers: int, address: str, threads: int) -> None:
        self._ray = ray = _ray()
        self._address, self._wanted, self._threads = address, workers, threads
        _check(address)
        try:
            if address:
                context = ray.init(address=address, log_to_driver=False, namespace='fanet_ros')
            else:
                context = ray.init(num_cpus=workers * threads, object_store_memory=OBJECT_STORE_BYTES, log_to_driver=False,
                                   runtime_env={'env_vars': {'PYTHONPATH': _python_path()}})
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise PoolError(f'no Ray cluster at {address or "this machine"}: {" ".join(str(error).split())[:300]}; start one with: '
                            'ray start --head') from None
        self.dashboard = str(getattr(context, 'dashboard_url', '') or '')
        has_gpu = ray.cluster_resources().get('GPU', 0) >= 1
        self._gpus = int(has_gpu and settings.options.device != 'cpu')
        self._actor = ray.remote(Worker).options(num_cpus=threads, num_gpus=self._gpus, max_restarts=0)
        self._settings = ray.put(settings)
        self._starting: dict[Any, Any] = {}             # actor by the reference that tells that it is ready
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Job]] = {}     # by the reference to the outcome
        self._failed_starts, self._next_look_s = 0, 0.0
        self._node = ray.get_runtime_context().get_node_id()
        self._hint_at_s = time.monotonic() + PATIENCE_S
        self.description = ''
        for _ in range(workers):
            self._start()
        self._look_around()

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
        self._look_around()
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
            told = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._not_started(_reason(error))
            return
        if told['version'] != fanet_ros.__version__:
            self._ray.kill(actor)
            self._not_started(f'{told["node"]} has fanet_ros {told["version"]}, this machine {fanet_ros.__version__}')
            return
        self._failed_starts = 0
        self.description = self.description or told['segmenter']
        self._idle.append(actor)

    def _not_started(self, reason: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= STARTS and not self.workers:
            raise PoolError(f'no worker can start: {reason}')
        if self._wanted:
            self._start()

    def _hint(self, now_s: float) -> None:
        """Say once what is waited for, if no worker has been there for long."""
        if self.workers:
            self._hint_at_s = now_s + PATIENCE_S
        elif now_s > self._hint_at_s:
            self._hint_at_s = float('inf')
            room = {name: count for name, count in self._ray.cluster_resources().items() if name in ('CPU', 'GPU')}
            print(f'waiting for a machine with room for a worker ({self._threads} CPU cores, {self._gpus} GPUs); the cluster has '
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

    def _look_around(self) -> None:
        """Every LOOK_EVERY_S: without a number asked for, as many more workers as there is room for."""
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_EVERY_S
        self._hint(now_s)
        if not any(node['Alive'] and node['NodeID'] == self._node for node in self._ray.nodes()):
            # Workers belong to the driver's node and end with it.
            raise PoolError('this machine was lost to the cluster: see to its raylet, and give the same command again')
        if self._wanted or self._starting:
            return
        room = self._ray.available_resources()
        while room.get('CPU', 0) >= self._threads and room.get('GPU', 0) >= self._gpus:
            self._start()
            room = {'CPU': room['CPU'] - self._threads, 'GPU': room.get('GPU', 0) - self._gpus}


def _ray() -> Any:
    """The package, told to report nothing to its makers unless the user has decided otherwise."""
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    os.environ.setdefault('RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO', '0')      # silences an announcement
    try:
        import ray
    except ImportError as error:
        raise PoolError(f'several workers need Ray ({error}): pip install "fanet_ros[fleet]", or: pip install ray') from None
    return ray


def _check(address: str) -> None:
    """Ray itself tries for minutes."""
    host, _, port = address.rpartition(':')
    if not host or not port.isdecimal() or '/' in host:
        return      # none, 'auto', or that of a client
    try:
        socket.create_connection((host, int(port)), CONNECT_S).close()
    except OSError as error:
        raise PoolError(f'no Ray cluster at {address} ({error.strerror or error}): start one with: ray start --head') from None


def _python_path() -> str:
    """For workers on this machine: where this package was found."""
    paths = [str(Path(fanet_ros.__file__).parents[1]), *os.environ.get('PYTHONPATH', '').split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(path for path in paths if path))


def _reason(error: Optional[BaseException]) -> str:
    """The last line of Ray's long text is the exception itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
