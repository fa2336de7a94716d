# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run of the transport benchmark: starts camera, node and receiver as processes and evaluates every frame."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterator, Mapping, NamedTuple, Optional, Sequence

import numpy as np
import psutil
from tqdm import tqdm

from fanet_ros.host.child_process import start_child, stop_child
from fanet_ros.host.dds_profile import DDS_PROFILE_VARIABLES
from fanet_ros.host.process_tuning import ALLOCATOR_VARIABLES, OPT_OUT
from fanet_ros.ros.benchmark.endpoints import STAGES
from fanet_ros.ros.benchmark.surroundings import Surroundings
from fanet_ros.ros.common.node_command import node_command

ENDPOINTS = (sys.executable, '-m', 'fanet_ros.ros.benchmark.endpoints')
INFERENCE = ('preprocess_ms', 'network_ms', 'postprocess_ms')
TIMEOUT_S = 120.0           # for the node to load, in addition to the measurement
SAMPLING_S = 0.5
INTERRUPT_PERIOD_S = 5.0
# Label in the table; whether the camera is tuned; whether node and receiver are tuned.
PROCESSES = {'tuned': ('tuned', True, True), 'camera': ('untuned camera', False, True), 'plain': ('untuned', False, False)}
MIN_TREND_S = 60.0          # shorter runs only show noise in memory and latency


class NoMaskError(RuntimeError):
    """No mask was received for any image."""


@dataclass(frozen=True)
class Run:
    """Results for one rate, process tuning and camera reliability.

    Triples are the percentiles 50, 95, 99 in ms; `stages_ms` are medians, named as in FrameTiming.
    """

    rate_hz: float
    processes: str                              # a key of PROCESSES
    reliability: str                            # of the camera: reliable or best_effort
    sent: int
    lost: int                                   # images without a mask
    latency_ms: tuple[float, float, float]      # camera stamp to mask received
    transport_ms: tuple[float, float, float]    # latency minus inference
    jitter_ms: float                            # standard deviation of the latency
    stages_ms: dict[str, float]
    node_cpu_ms: float                          # CPU time of the node per frame, all threads
    node_memory_mib: float                      # resident, at the end
    memory_slope_mib_h: Optional[float]         # of a line fit; None for runs shorter than MIN_TREND_S
    p99_drift_ms: Optional[float]               # latency p99 of the last fifth minus that of the first; likewise
    smaller_after_s: Optional[float]            # other load began to first mask at a lower resolution; None: no load, or no such
    latencies_ms: tuple[float, ...]             # of all frames, in order


class Mask(NamedTuple):
    """What the receiver reports of a mask; without stages and with a height of 0 if no timing message came with it."""

    at_ns: int
    stages_ms: Optional[list[float]]
    input_height: int


@dataclass(frozen=True)
class _Usage:
    """Resource usage of a process at a system time: CPU time since its start, and resident memory."""

    at_ns: int
    cpu_s: float
    memory_mib: float


def measure(size: tuple[int, int], resolution: tuple[int, int], rate_hz: float, seconds: float, processes: str,
            reliability: str, parameters: Mapping[str, object], surroundings: Surroundings) -> Run:
    """Send images at a constant rate for `seconds` and measure latency, loss and resource usage.

    :param size: height and width of the camera's images in px
    :param resolution: height and width of the network input in px
    :param processes: a key of PROCESSES
    :param reliability: of the camera: reliable or best_effort
    :param parameters: further ones of the node, such as engine and precision
    :raises NoMaskError: no mask was received
    :raises RuntimeError: a process failed
    """
    bare = {key: value for key, value in os.environ.items()
            if key not in (*ALLOCATOR_VARIABLES, *DDS_PROFILE_VARIABLES, OPT_OUT)}
    camera_environment, environment = ({**bare, OPT_OUT: '1' if is_tuned else '0'} for is_tuned in PROCESSES[processes][1:])
    parameters = {'input_height': resolution[0], 'input_width': resolution[1],
                  'image_transport': 'compressed' if surroundings.jpeg else 'raw', **parameters}
    node = _start(environment, [*surroundings.prefix, *node_command('segmentation_node', parameters, ('--log-level', 'warn'))])
    receiver = _start(environment, [*ENDPOINTS, 'receiver', *(['overlay'] if surroundings.overlay else [])])
    camera = _start(camera_environment, [
        *ENDPOINTS, 'camera', *map(str, (*size, rate_hz, seconds)), reliability, str(surroundings.busy),
        str(surroundings.busy_after_s), *(['jpeg'] if surroundings.jpeg else [])])
    try:
        with surroundings.running(environment), _usage_of(node.pid) as usage:
            stamps, busy_from = json.loads(_output(camera, node, seconds + TIMEOUT_S, f'{rate_hz:g} images/s'))
        masks = {stamp: Mask(*rest) for stamp, *rest in json.loads(_output(receiver, node, TIMEOUT_S, interrupt=True))}
    finally:
        for process in (camera, receiver):      # already ended, unless the measurement was interrupted
            process.kill()
            process.wait()
        stop_child(node)
    return _summarise(rate_hz, processes, reliability, stamps, masks, usage, busy_from)


def _summarise(rate_hz: float, processes: str, reliability: str, stamps: list[int],
               masks: dict[int, Mask], usage: list[_Usage], busy_from: Optional[int]) -> Run:
    answered = [stamp for stamp in stamps if stamp in masks]
    timed = [stamp for stamp in answered if masks[stamp].stages_ms is not None]
    if not timed:
        raise NoMaskError(f'no mask received for {len(stamps)} images: choose a smaller --resolution')

    def latency_ms(of: list[int]) -> np.ndarray:
        return np.array([masks[stamp].at_ns - stamp for stamp in of]) / 1e6
    latency = latency_ms(answered)
    stages = np.array([masks[stamp].stages_ms for stamp in timed])
    transport = latency_ms(timed) - stages[:, [STAGES.index(name) for name in INFERENCE]].sum(1)
    measured = [item for item in usage if stamps[0] <= item.at_ns <= stamps[-1]] or usage[-2:]
    cpu_s = measured[-1].cpu_s - measured[0].cpu_s
    span_s = (measured[-1].at_ns - measured[0].at_ns) / 1e9
    frames = sum(measured[0].at_ns <= stamp <= measured[-1].at_ns for stamp in answered)
    slope = drift = None
    if span_s >= MIN_TREND_S:
        hours = np.array([item.at_ns for item in measured]) / 3.6e12
        slope = round(float(np.polyfit(hours - hours[0], [item.memory_mib for item in measured], 1)[0]), 3)
        fifth = max(len(latency) // 5, 1)
        drift = round(float(np.percentile(latency[-fifth:], 99) - np.percentile(latency[:fifth], 99)), 2)
    return Run(rate_hz, processes, reliability, len(stamps), len(stamps) - len(answered), _percentiles(latency),
               _percentiles(transport), round(float(latency.std()), 2), dict(zip(STAGES, np.median(stages, 0).round(3).tolist())),
               round(1e3 * cpu_s / max(frames, 1), 2), round(measured[-1].memory_mib, 1), slope, drift,
               smaller_after_s([masks[stamp] for stamp in timed], busy_from), tuple(latency.round(3).tolist()))


def smaller_after_s(masks: Sequence[Mask], busy_from: Optional[int]) -> Optional[float]:
    """Seconds from `busy_from` [ns] to the first mask whose network input is smaller than that of the last one before.

    None if there is no such mask, or no such time.
    """
    if busy_from is None:
        return None
    heights = [mask.input_height for mask in masks if mask.at_ns <= busy_from]
    later = [mask.at_ns for mask in masks if mask.at_ns > busy_from and heights and mask.input_height < heights[-1]]
    return round((min(later) - busy_from) / 1e9, 3) if later else None


def _start(environment: dict[str, str], command: list[str]) -> subprocess.Popen:
    return start_child(command, env=environment, stdout=subprocess.PIPE, text=True)


def _output(process: subprocess.Popen, node: subprocess.Popen, timeout_s: float, what: str = '', *,
            interrupt: bool = False) -> str:
    """Output of `process` until it exits.

    :param what: label of a progress bar; '' for none
    :param interrupt: stop it with SIGINT, sent repeatedly because rclpy may miss one while waiting
    :raises RuntimeError: `process` or the node failed, or the timeout has passed
    """
    start = interrupted = time.monotonic()
    if interrupt:
        process.send_signal(signal.SIGINT)
    total_s = round(timeout_s - TIMEOUT_S)
    with tqdm(total=total_s, desc=what, unit='s', leave=False, disable=None if what else True,
              bar_format='{desc}: {bar} {n_fmt}/{total_fmt} s') as bar:
        while time.monotonic() < start + timeout_s:
            if node.poll() is not None:
                raise RuntimeError(f'the node ended with exit code {node.returncode}, see above')
            try:
                text = process.communicate(timeout=1.0)[0]
            except subprocess.TimeoutExpired:
                if interrupt and time.monotonic() > interrupted + INTERRUPT_PERIOD_S:
                    interrupted = time.monotonic()
                    process.send_signal(signal.SIGINT)
                bar.update(min(round(time.monotonic() - start), total_s) - bar.n)
                continue
            if process.returncode:
                raise RuntimeError(f'a process of the benchmark failed with exit code {process.returncode}, see above')
            return text
    raise RuntimeError(f'nothing was measured within {timeout_s:.0f} s')


@contextmanager
def _usage_of(pid: int) -> Iterator[list[_Usage]]:
    """A list to which a thread appends the usage of a process every SAMPLING_S seconds while it lives."""
    process = psutil.Process(pid)
    samples: list[_Usage] = []
    ended = threading.Event()

    def sample() -> None:
        while True:
            try:
                times, memory = process.cpu_times(), process.memory_info()
            except psutil.Error:        # it has ended
                return
            samples.append(_Usage(time.time_ns(), times.user + times.system, memory.rss / 2**20))
            if ended.wait(SAMPLING_S):
                return
    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def _percentiles(values: np.ndarray) -> tuple[float, float, float]:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).round(2).tolist()
    return p50, p95, p99
