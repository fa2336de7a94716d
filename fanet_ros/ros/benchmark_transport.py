"""From camera message to mask message over DDS: latency, loss and CPU time of the installed node, at several rates.

    ros2 run fanet_ros benchmark_transport --rates 10 30 60 --output out

Each rate is measured with this package's process tuning (allocator, DDS profile) and without, one after the other. What is
not inference is the way: latency less preprocessing, network and postprocessing.
"""
from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from fanet_ros.dds_profile import DDS_PROFILE_VARIABLES
from fanet_ros.ros.benchmark_endpoints import STAGES
from fanet_ros.ros.process_tuning import ALLOCATOR_VARIABLES, OPT_OUT

ENDPOINTS = 'fanet_ros.ros.benchmark_endpoints'
NODE = 'fanet_ros.ros.segmentation_node'
INFERENCE = ('preprocess_ms', 'network_ms', 'postprocess_ms')
TIMEOUT_S = 120.0           # for the node to load, beyond the time of measuring


@dataclass(frozen=True)
class Run:
    """One rate, tuned or not. Percentiles 50, 95, 99 in ms; `stages_ms` are medians by the names of FrameTiming."""

    rate_hz: float
    is_tuned: bool
    sent: int
    lost: int
    latency_ms: tuple[float, float, float]
    way_ms: tuple[float, float, float]          # latency less inference
    stages_ms: dict[str, float]
    node_cpu_ms: float                          # CPU time of the node for each frame, all threads, its loading included
    node_memory_mib: float
    latencies_ms: tuple[float, ...]             # of all frames, in their order


def measure(size: tuple[int, int], resolution: tuple[int, int], rate_hz: float, seconds: float, is_tuned: bool,
            network: dict[str, str]) -> Run:
    """Run camera, node and receiver as processes of their own for `seconds`.

    :param size: height and width of the camera's images in px
    :param resolution: height and width that the network runs at
    :param network: further parameters of the node, such as engine and precision
    :raises RuntimeError: a process failed, or no mask came
    """
    environment = {key: value for key, value in os.environ.items()
                   if key not in (*ALLOCATOR_VARIABLES, *DDS_PROFILE_VARIABLES, OPT_OUT)}
    environment[OPT_OUT] = '1' if is_tuned else '0'
    parameters = {'input_height': resolution[0], 'input_width': resolution[1], **network}
    arguments = [item for name, value in parameters.items() for item in ('-p', f'{name}:={value}')]
    node = _start(environment, NODE, '--ros-args', '--log-level', 'warn', *arguments)
    receiver = _start(environment, ENDPOINTS, 'receiver')
    camera = _start(environment, ENDPOINTS, 'camera', *map(str, (*size, rate_hz, seconds)))
    try:
        stamps = json.loads(_output(camera, node, seconds + TIMEOUT_S))
        cpu_s, memory_mib = _usage(node.pid)
        receiver.send_signal(signal.SIGINT)
        frames = {stamp: (at, stages) for stamp, at, stages in json.loads(_output(receiver, node, TIMEOUT_S))}
    finally:
        for process in (node, receiver):
            process.send_signal(signal.SIGINT)
        camera.kill()
        for process in (node, receiver, camera):
            process.wait()
    counted = [(stamp, *frames[stamp]) for stamp in stamps if stamp in frames]
    if not counted:
        raise RuntimeError(f'no mask of {len(stamps)} images came within {seconds:.0f} s: choose a smaller --resolution')
    latency = np.array([at - stamp for stamp, at, _ in counted]) / 1e6
    stages = np.array([values for *_, values in counted])
    way = latency - stages[:, [STAGES.index(name) for name in INFERENCE]].sum(1)
    return Run(rate_hz, is_tuned, len(stamps), len(stamps) - len(counted), _percentiles(latency), _percentiles(way),
               dict(zip(STAGES, np.median(stages, 0).round(3).tolist())), 1e3 * cpu_s / len(frames), memory_mib,
               tuple(latency.round(3).tolist()))


def _start(environment: dict[str, str], module: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, '-m', module, *arguments], env=environment, stdout=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, text=True)


def _output(process: subprocess.Popen, node: subprocess.Popen, timeout_s: float) -> str:
    """What `process` prints until it ends, as long as the node lives."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if node.poll() is not None:
            raise RuntimeError(f'the node ended with exit code {node.returncode}, see above')
        try:
            text = process.communicate(timeout=1.0)[0]
        except subprocess.TimeoutExpired:
            continue
        if process.returncode:
            raise RuntimeError(f'a process of the benchmark failed with exit code {process.returncode}, see above')
        return text
    raise RuntimeError(f'nothing was measured within {timeout_s:.0f} s')


def _usage(pid: int) -> tuple[float, float]:
    """CPU time in s since its loading began, and resident memory in MiB, of a process (Linux)."""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    memory = int(Path(f'/proc/{pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK'), memory


def _percentiles(values: np.ndarray) -> tuple[float, float, float]:
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).round(2).tolist()
    return p50, p95, p99


def table(runs: list[Run]) -> str:
    """Markdown, a row for each run."""
    lines = ['| images/s | process | sent | lost | latency p50 / p95 / p99 [ms] | of it not inference [ms] |',
             '|---|---|---|---|---|---|']
    for run in runs:
        latency, way = (' / '.join(f'{value:.1f}' for value in item) for item in (run.latency_ms, run.way_ms))
        lines.append(f'| {run.rate_hz:g} | {"tuned" if run.is_tuned else "as it comes"} | {run.sent} | {run.lost} | '
                     f'{latency} | {way} |')
    return '\n'.join(lines)


def draw(runs: list[Run], path: Path) -> None:
    """Histograms of the latency, one panel for each rate."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot as plt
    rates = sorted({run.rate_hz for run in runs})
    figure, panels = plt.subplots(len(rates), 1, figsize=(8, 2.2 * len(rates) + 0.6), squeeze=False, sharex=True)
    longest = max(run.latency_ms[2] for run in runs) * 1.1
    for rate, axes in zip(rates, panels[:, 0]):
        for run in (item for item in runs if item.rate_hz == rate):
            axes.hist(np.clip(run.latencies_ms, 0, longest), np.linspace(0, longest, 60), alpha=0.6,
                      label=f'{"tuned" if run.is_tuned else "as it comes"}: p50 {run.latency_ms[0]:.1f}, '
                            f'p99 {run.latency_ms[2]:.1f} ms, lost {run.lost} of {run.sent}')
        axes.set(ylabel='frames', title=f'{rate:g} images a second')
        axes.legend(loc='upper left')
    panels[-1, 0].set_xlabel('camera stamp to mask received [ms]')
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(argv: Optional[list[str]] = None) -> int:
    """Measure, print the table, write JSON and plot; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='benchmark_transport', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rates', nargs='+', type=float, default=[10, 30, 60], help='images a second')
    parser.add_argument('--size', nargs=2, type=int, default=(720, 1280), metavar=('HEIGHT', 'WIDTH'), help='of the images')
    parser.add_argument('--resolution', nargs=2, type=int, default=(180, 320), metavar=('HEIGHT', 'WIDTH'),
                        help='of the network')
    parser.add_argument('--seconds', type=float, default=10.0, help='of measuring, for each rate')
    parser.add_argument('--rounds', type=int, default=1, help='each rate so often, tuned and not in turns')
    parser.add_argument('--engine', default='auto')
    parser.add_argument('--precision', default='auto')
    parser.add_argument('--output', type=Path, help='folder for transport.json, transport.md and transport.png')
    arguments = parser.parse_args(argv)
    runs: list[Run] = []
    try:
        for rate_hz in arguments.rates:
            for is_tuned in (True, False) * arguments.rounds:
                run = measure(tuple(arguments.size), tuple(arguments.resolution), rate_hz, arguments.seconds, is_tuned,
                              {'engine': arguments.engine, 'precision': arguments.precision})
                print(table([run]) if not runs else table([run]).splitlines()[-1], flush=True)
                runs.append(run)
    except (RuntimeError, OSError, ValueError) as error:
        print(f'benchmark_transport: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if arguments.output is not None:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / 'transport.json').write_text(json.dumps([asdict(run) for run in runs], indent=1) + '\n')
        (arguments.output / 'transport.md').write_text(table(runs) + '\n')
        draw(runs, arguments.output / 'transport.png')
        print(f'{arguments.output}: transport.json, transport.md and transport.png')
    return 0


if __name__ == '__main__':
    sys.exit(main())
