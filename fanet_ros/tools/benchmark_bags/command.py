# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of segment_bags on a synthetic archive of short bags and a long one, which it writes first.

    ros2 run fanet_ros benchmark_bags --workers 1 2 --cluster --output out

Compares a plain loop over the short bags, runs with the given numbers of workers, the same command on a finished output, and with
--cluster a Ray cluster of two machines on this one, of which one is lost and replaced in the middle. The masks of all must be equal
byte by byte. All use one CPU thread per worker. Needs Ray for more than one worker.
"""
from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from fanet_ros.choices import ENGINES
from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.number_arguments import count_argument
from fanet_ros.size_text import METAVAR, size_argument, size_text

PORT = 26380


def main(argv: Optional[list[str]] = None) -> int:
    """Measure, print a line for each run and write bags.json; returns the exit code."""
    arguments = _parser().parse_args(argv)

    def work() -> None:
        with tempfile.TemporaryDirectory(prefix='fanet_ros_bags_', dir=arguments.work) as folder:
            _measure(arguments, argv, Path(folder))
    with sigterm_interrupts():
        return exit_code_of('benchmark_bags', work, errors=(ValueError, OSError, RuntimeError))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='benchmark_bags', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bags', type=count_argument, default=200, help='number of short bags (default %(default)s)')
    parser.add_argument('--frames', type=count_argument, default=5, help='images in each of them (default %(default)s)')
    parser.add_argument('--long', type=count_argument, default=20000, help='images in the long bag (default %(default)s)')
    parser.add_argument('--size', type=size_argument, default=(64, 96), metavar=METAVAR,
                        help='size of the images and network resolution [px] (default 96x64)')
    parser.add_argument('--workers', type=count_argument, nargs='+', default=[1, 2], metavar='N')
    parser.add_argument('--cluster', action='store_true', help='also run on a cluster that loses and gains a machine')
    parser.add_argument('--checkpoint', default='fanet18_camvid')
    parser.add_argument('--engine', choices=ENGINES, default='torch', help='(default %(default)s)')
    parser.add_argument('--device', default='cpu', help='(default %(default)s)')
    parser.add_argument('--work', type=Path, metavar='DIR', help='folder for archive and masks (default: temporary)')
    parser.add_argument('--output', type=Path, metavar='DIR', help='folder for bags.json')
    return parser


def _measure(arguments: argparse.Namespace, argv: Optional[list[str]], folder: Path) -> None:
    """:raises RuntimeError: a run failed, or its masks differ from those of the others"""
    from fanet_ros.atomic_file import write_json
    from fanet_ros.host.machine import describe_measurement
    from fanet_ros.inference.device import choose_device
    from fanet_ros.inference.engines import require_engine, runtimes
    from fanet_ros.tools.benchmark_bags.archive import write_archive
    from fanet_ros.tools.benchmark_bags.measure import Run, digest, run_segment_bags
    require_engine(choose_device(arguments.device), arguments.engine)
    header = describe_measurement('benchmark_bags', argv, choose_device(arguments.device), runtimes())
    archive = folder / 'archive'
    short = write_archive(archive, arguments.bags, arguments.frames, arguments.long, arguments.size)
    options = [str(archive), '--threads', '1', '--device', arguments.device, '--engine', arguments.engine,
               '--resolution', size_text(*arguments.size), '--checkpoint', arguments.checkpoint]
    runs: list[Run] = []
    digests: dict[str, str] = {}

    def keep(run: Run, output: Path) -> None:
        runs.append(run)
        digests[run.name] = digest(output)
        print(f'{run.name}: {run.masks} masks of {run.images} images in {run.bags} bags; {run.seconds:.1f} s, of which working '
              f'{run.working_s:.1f} s; memory of the driver {_text(run.driver)}'
              + ''.join(f', of a worker {_text(item)}' for item in run.workers), flush=True)

    for count in arguments.workers:
        output = folder / f'workers_{count}'
        keep(run_segment_bags(f'{count} worker{"s" * (count > 1)}', output, [*options, '--workers', str(count)]), output)
    keep(run_segment_bags('again', output, [*options, '--workers', str(count)]), output)
    if arguments.cluster:
        keep(_on_cluster(options, folder / 'cluster'), folder / 'cluster')
    if len(set(digests.values())) > 1:
        raise RuntimeError(f'masks differ: {digests}')
    result: dict[str, Any] = {
        **header, 'archive': {'short_bags': arguments.bags, 'frames': arguments.frames, 'long': arguments.long,
                              'size': size_text(*arguments.size)},
        'runs': [asdict(run) for run in runs], 'masks_sha256': next(iter(digests.values()))}
    result['short_bag_ms'] = _short_bags(short, arguments, options, folder)
    print('one short bag: ' + ', '.join(f'{name} {ms:.0f} ms' for name, ms in result['short_bag_ms'].items()))
    if len(arguments.workers) > 1:
        result['speedup'] = round(runs[0].working_s / runs[1].working_s, 3)
        print(f'speedup from {runs[0].name} to {runs[1].name}, without their start: {result["speedup"]:.2f}')
    if arguments.output is not None:
        arguments.output.mkdir(parents=True, exist_ok=True)
        write_json(arguments.output / 'bags.json', result)


def _on_cluster(options: list[str], output: Path) -> Any:
    from fanet_ros.tools.benchmark_bags.cluster import LocalCluster
    from fanet_ros.tools.benchmark_bags.measure import run_segment_bags
    with LocalCluster(PORT) as cluster:
        for _ in range(2):
            cluster.add()

        def lose_one() -> None:
            while len(list(output.glob('long.partial/unit_*/masks.journal'))) < 4:
                time.sleep(0.1)
            cluster.lose(1)
            cluster.add()
        return run_segment_bags('cluster', output, [*options, '--ray', cluster.address], lose_one)


def _short_bags(short: list[Path], arguments: argparse.Namespace, options: list[str], folder: Path) -> dict[str, float]:
    """Milliseconds per short bag: in a plain loop, and by segment_bags without its start."""
    from fanet_ros.bags.camera_reader import CameraReader
    from fanet_ros.bags.topics import choose_cameras
    from fanet_ros.inference import Segmenter
    from fanet_ros.tools.benchmark_bags.measure import run_segment_bags
    from fanet_ros.tools.segment_bag.output import write_bag
    from fanet_ros.tools.segment_bag.segmented import segmented
    height, width = arguments.size
    segmenter = Segmenter.from_checkpoint(arguments.checkpoint, device=arguments.device, engine=arguments.engine,
                                          input_height=height, input_width=width, num_threads=1)
    began_s = time.monotonic()
    for number, path in enumerate(short):
        with CameraReader(path) as bag:
            cameras = choose_cameras(bag.list_topics(), [])
            masks = [None if result is None else result.labels for _, result in segmented(bag.images(cameras), segmenter)]
            write_bag(folder / 'loop' / f'{number}', bag, cameras, iter(masks), segmenter.class_map, (), None, lambda: None)
    loop_s = time.monotonic() - began_s
    run = run_segment_bags('short', folder / 'short', [*map(str, short), *options[1:], '--workers', '1', '--no-table'])
    table = run_segment_bags('short', folder / 'table', [*map(str, short), *options[1:], '--workers', '1'])
    return {name: round(1e3 * seconds / len(short), 1) for name, seconds in (
        ('plain_loop', loop_s), ('segment_bags_without_table', run.working_s), ('segment_bags', table.working_s))}


def _text(memory: Any) -> str:
    return 'unknown' if memory is None else f'{memory.quarter_mib} to {memory.last_mib} MiB'

