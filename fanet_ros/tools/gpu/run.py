# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the steps one after the other, each in its own process with a time limit, and summarize their figures.

Needs Python, PyTorch, NumPy, OpenCV, PyYAML, safetensors, tqdm, matplotlib and pytest; no ROS, no network, nothing built.
The most important steps come first; one that fails or takes too long does not affect the others.
"""
from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Optional

from fanet_ros.atomic_file import write_text
from fanet_ros.host.child_process import start_child
from fanet_ros.host.termination import exit_on_sigterm
from fanet_ros.inference.device import choose_device
from fanet_ros.tools.gpu.command import LIMITS_S, REHEARSAL_S, TOTAL_S
from fanet_ros.tools.gpu.figures import Figure, read_figures
from fanet_ros.tools.gpu.summary import summary

ENDS = 'done', 'failed', 'skipped'      # kinds of the last figure of a step that ended regularly
WORTH_STARTING_S = 5.0
LOG, SUMMARY = 'log.txt', 'summary.md'


def run_steps(arguments: argparse.Namespace) -> int:
    """Run the requested steps; returns the exit code, 0 if none failed.

    :raises SegmentationError: the device does not exist
    """
    exit_on_sigterm()       # through `finally`, which kills the running step
    seconds = arguments.seconds or (REHEARSAL_S if arguments.device == 'cpu' else TOTAL_S)
    choose_device(arguments.device)
    arguments.output.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    found: dict[str, list[Figure]] = {}
    with tempfile.TemporaryDirectory(prefix='fanet_ros_gpu_') as scratch, (arguments.output / LOG).open('w') as log:
        for name in (name for name in LIMITS_S if name in arguments.steps):
            limit_s = min(LIMITS_S[name] * seconds / TOTAL_S, end - time.monotonic())
            path = arguments.output / f'{name}.jsonl'
            found[name] = run_step(name, path, arguments.device, Path(scratch), arguments.authors, limit_s, log)
            write_text(arguments.output / SUMMARY, summary(found))      # after every step, in case this process is killed
            print(f'{name}: {outcome(found[name])}', flush=True)
    print(f'\n{summary(found)}\n{arguments.output}: {SUMMARY}, {LOG}, and the figures of each step')
    return int(any(item['figure'] == 'failed' for figures in found.values() for item in figures))


def run_step(name: str, path: Path, device: str, scratch: Path, authors: Optional[Path], limit_s: float,
             log: IO[str]) -> list[Figure]:
    """Run a step and return its figures; at the time limit its process group is killed, and the figures written so far stay."""
    if limit_s < WORTH_STARTING_S:
        return [{'figure': 'skipped', 'reason': 'no time left'}]
    command = [sys.executable, '-m', 'fanet_ros.tools.gpu.step', name, str(path), '--device', device, '--scratch', str(scratch)]
    path.unlink(missing_ok=True)
    process = start_child([*command, *(['--authors', str(authors)] if authors else [])], stdout=log, stderr=log,
                          env=_environment(scratch, device))
    failed = ''
    try:
        if process.wait(limit_s) < 0:
            failed = f'ended by {signal.Signals(-process.returncode).name}'
    except subprocess.TimeoutExpired:
        failed = f'not finished after {limit_s:.0f} s'
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    figures = read_figures(path)
    if figures and figures[-1]['figure'] in ENDS:       # even if it was killed later: torch.compile waits for its workers to exit
        return figures
    return [*figures, {'figure': 'failed', 'reason': failed or f'ended with code {process.returncode}, see {LOG}'}]


def outcome(figures: list[Figure]) -> str:
    """How a step ended, in one line."""
    last = figures[-1]
    number = sum(item['figure'] not in ('machine', *ENDS) for item in figures)
    how = {'done': lambda: f'done in {last["seconds"]:.0f} s', 'failed': lambda: f'FAILED: {last["reason"]}',
           'skipped': lambda: f'skipped: {last["reason"]}'}[last['figure']]()
    return f'{how}; {number} figures'


def _environment(scratch: Path, device: str) -> dict[str, str]:
    """Unbuffered output, one core in a rehearsal, and scratch caches: engines are built anew, the user's caches stay clean."""
    return {**os.environ, 'PYTHONUNBUFFERED': '1', 'XDG_CACHE_HOME': str(scratch), **({'OMP_NUM_THREADS': '1'} if device == 'cpu'
            else {}), 'TORCHINDUCTOR_CACHE_DIR': str(scratch / 'inductor'), 'TRITON_CACHE_DIR': str(scratch / 'triton')}
