# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latency, loss and CPU time from camera message to mask message over DDS, with the installed node, at several rates.

    ros2 run fanet_ros benchmark_transport --rates 10 30 60 --rounds 5 --output out
    ros2 run fanet_ros benchmark_transport --rates --highest
    ros2 run fanet_ros benchmark_transport --rates 30 --seconds 8 --only camera --camera reliable best_effort
    ros2 run fanet_ros benchmark_transport --rates --highest --only tuned --record --set overlay_max_rate_hz=10
    ros2 run fanet_ros benchmark_transport --rates 30 --only tuned --busy 2 --prefix "nice -n -5"
    ros2 run fanet_ros benchmark_transport --rates 30 --only tuned --busy 2 --busy-after 5 --set latency_budget_ms=60
    ros2 run fanet_ros benchmark_transport --rates 30 --seconds 3600 --only tuned        # one hour: drift of latency and memory

Each rate is measured with this package's process tuning (allocator, DDS profile), with an untuned camera, like ordinary
drivers, and without tuning, interleaved. Transport is latency minus preprocessing, network and postprocessing.
"""
from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Callable, Optional

import yaml

from fanet_ros.atomic_file import write_json, write_text
from fanet_ros.choices import ENGINES, PRECISIONS
from fanet_ros.host.termination import exit_code_of
from fanet_ros.ros.benchmark.header import measured_here
from fanet_ros.ros.benchmark.run import PROCESSES, NoMaskError, Run, measure
from fanet_ros.ros.benchmark.surroundings import Surroundings
from fanet_ros.ros.benchmark.transport_report import HEADER, draw_latencies, draw_stages, medians, row, table
from fanet_ros.size_text import METAVAR, size_argument

MAX_LOSS = 0.05
FIRST_RATE_HZ = 8.0
MAX_RATE_HZ = 1000.0
RATE_STEP = 1.05            # resolution of the highest rate, as a factor


def highest_rate(measure_at: Callable[[float], Run]) -> Optional[Run]:
    """The run at the highest rate with a loss of at most MAX_LOSS: found by doubling the rate, then bisection.

    None if the loss is higher even at FIRST_RATE_HZ.
    """
    def is_kept(rate_hz: float) -> Optional[Run]:
        try:
            run = measure_at(rate_hz)
        except NoMaskError:
            return None
        return run if run.lost <= MAX_LOSS * run.sent else None
    best, low, high = None, 0.0, FIRST_RATE_HZ
    while high <= MAX_RATE_HZ and (run := is_kept(high)) is not None:
        best, low, high = run, high, 2 * high
    while best is not None and high / low > RATE_STEP:
        rate_hz = round((low * high) ** 0.5, 1)
        run = is_kept(rate_hz)
        best, low, high = (run, rate_hz, high) if run is not None else (best, low, rate_hz)
    return best


def main(argv: Optional[list[str]] = None) -> int:
    """Measure, print the table, and write JSON and plots; returns the exit code."""
    arguments = _parse(argv)
    runs: list[Run] = []
    if arguments.engine == 'auto':
        from fanet_ros.inference import Segmenter, SegmenterOptions  # late: --help need not wait for torch
        # Chooses the fastest engine now, so that no node does so while it is being measured.
        height, width = arguments.resolution
        Segmenter.from_checkpoint(options=SegmenterOptions(
            precision=arguments.precision, input_height=height, input_width=width))
    kinds = [(processes, reliability) for reliability in arguments.camera
             for processes in ([arguments.only] if arguments.only else PROCESSES)]

    surroundings = Surroundings(arguments.jpeg, arguments.overlay, arguments.record, arguments.busy,
                                arguments.busy_after, tuple(arguments.prefix.split()))

    def measure_at(rate_hz: float, processes: str, reliability: str) -> Run:
        return measure(arguments.size, arguments.resolution, rate_hz, arguments.seconds, processes, reliability,
                       {'engine': arguments.engine, 'precision': arguments.precision, **dict(arguments.set)}, surroundings)

    def show(run: Run, note: str = '') -> None:
        print(f'{HEADER}\n{row(run)}{note}' if not runs else f'{row(run)}{note}', flush=True)
        runs.append(run)
    highest: list[Run] = []

    def measure_all() -> None:
        for rate_hz in arguments.rates:
            for kind in kinds * arguments.rounds:
                show(measure_at(rate_hz, *kind))
        for kind in kinds if arguments.highest else ():
            found = highest_rate(partial(measure_at, processes=kind[0], reliability=kind[1]))
            if found is None:
                print(f'more than {MAX_LOSS:.0%} lost even at {FIRST_RATE_HZ:g} images/s')
            else:
                show(found, f' highest rate with at most {MAX_LOSS:.0%} lost')
                highest.append(found)
    # Keep the results so far, however it ends.
    code = exit_code_of('benchmark_transport', measure_all, errors=(RuntimeError, OSError, ValueError))
    summary = medians(runs)
    if len(summary) < len(runs):
        print(f'\nmedians\n{table(summary)}')
    if arguments.output is not None and runs:
        _write(arguments.output, argv, runs, summary, highest)
    return code


def _parse(argv: Optional[list[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='benchmark_transport', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rates', nargs='*', type=float, default=[10, 30, 60], help='images per second')
    parser.add_argument('--highest', action='store_true',
                        help=f'also find the highest rate at which at most {MAX_LOSS:.0%} are lost'.replace('%', '%%'))
    parser.add_argument('--size', type=size_argument, default=(720, 1280), metavar=METAVAR,
                        help='size of the images [px] (default 1280x720)')
    parser.add_argument('--resolution', type=size_argument, default=(180, 320), metavar=METAVAR,
                        help='network resolution [px] (default 320x180)')
    parser.add_argument('--seconds', type=float, default=10.0, help='duration of the measurement for each rate')
    parser.add_argument('--rounds', type=int, default=1, help='repetitions of each rate, with the process tunings interleaved')
    parser.add_argument('--only', choices=tuple(PROCESSES),
                        help='measure only one process tuning: all processes tuned, all except the camera, or none')
    parser.add_argument('--camera', nargs='+', choices=('reliable', 'best_effort'), default=['reliable'],
                        help='QoS reliability of the camera')
    parser.add_argument('--engine', choices=ENGINES, default='auto')
    parser.add_argument('--precision', choices=PRECISIONS, default='auto')
    parser.add_argument('--set', nargs='+', type=_parameter, default=[], metavar='NAME=VALUE', help='parameters of the node')
    parser.add_argument('--jpeg', action='store_true', help='the camera sends JPEGs')
    parser.add_argument('--overlay', action='store_true', help='the receiver subscribes to the overlay, too')
    parser.add_argument('--record', action='store_true', help='recorder_node writes a bag, with camera and overlay')
    parser.add_argument('--busy', type=int, default=0, metavar='N', help='N other processes keep a core busy each')
    parser.add_argument('--busy-after', type=float, default=0.0, metavar='S', help='they start S seconds after the first image')
    parser.add_argument('--prefix', default='', help='command to start the node with, such as "nice -n -5" or "taskset -c 1"')
    parser.add_argument('--output', type=Path, help='folder for transport.json, transport.md and two plots')
    arguments = parser.parse_args(argv)
    if arguments.rounds < 1 or arguments.seconds <= 0 or min(arguments.rates, default=1) <= 0:
        parser.error('--rounds must be at least 1, --seconds and --rates more than 0')
    return arguments


def _parameter(text: str) -> tuple[str, object]:
    name, separator, value = text.partition('=')
    if not separator or not name:
        raise argparse.ArgumentTypeError(f'{text!r}: expected NAME=VALUE')
    return name, yaml.safe_load(value)


def _write(folder: Path, argv: Optional[list[str]], runs: list[Run], summary: list[Run], highest: list[Run]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {**measured_here('benchmark_transport', argv),
               'runs': [asdict(run) for run in runs], 'medians': [asdict(run) for run in summary],
               'highest_rate_hz': {f'{run.processes} {run.reliability}': run.rate_hz for run in highest}}
    write_json(folder / 'transport.json', content)
    write_text(folder / 'transport.md', table(summary) + '\n')
    draw_latencies(summary, folder / 'transport.png')
    draw_stages(summary, folder / 'transport_stages.png')
    print(f'{folder}: transport.json, transport.md, transport.png and transport_stages.png')
