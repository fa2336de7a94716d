# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the suites of `benchmark` and write their results."""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

import torch

from fanet_ros.atomic_file import write_json, write_text
from fanet_ros.host.background_load import BackgroundLoad
from fanet_ros.host.machine import describe_measurement, one_line
from fanet_ros.inference.device import choose_device
from fanet_ros.inference.engines import runtimes
from fanet_ros.tools.benchmark.report import draw_plots, tables
from fanet_ros.tools.benchmark.segmenter import segmenter_suite
from fanet_ros.tools.benchmark.setup import BenchmarkSettings
from fanet_ros.tools.benchmark.suites import attention_suite, batch_suite, network_suite, pixels_suite
from fanet_ros.tools.benchmark.training import training_suite

SUITES: dict[str, Callable[[BenchmarkSettings], list[dict[str, Any]]]] = {
    'network': network_suite,
    'labels': lambda settings: network_suite(settings, labels=True),
    'segmenter': segmenter_suite,
    'batch': batch_suite,
    'pixels': pixels_suite,
    'attention': attention_suite,
    'training': training_suite,
}

def run_suites(arguments: argparse.Namespace, argv: Optional[Sequence[str]] = None) -> None:
    """Measure, print tables, write JSON and plots.

    :raises ValueError: something that was requested cannot be measured
    """
    if arguments.threads > 0:
        torch.set_num_threads(arguments.threads)
    settings = BenchmarkSettings(
        arguments.checkpoint, tuple(arguments.variants), tuple(arguments.sizes),
        None if arguments.engines is None else tuple(arguments.engines), tuple(arguments.precisions), tuple(arguments.batches),
        arguments.rounds, arguments.frames, arguments.source, arguments.data, arguments.calibration, arguments.authors,
        choose_device(arguments.device))
    header = describe_measurement('benchmark', argv, settings.device, runtimes())
    print(one_line(header['machine']), flush=True)
    results: list[dict[str, Any]] = []
    for name in arguments.suites:
        load = BackgroundLoad()
        found = SUITES[name](settings)
        others = load.busy_cores()
        found = [{**result, 'other_busy_cores': others} for result in found]
        print(f'\n{tables(found)}', flush=True)
        results += found
        if arguments.output is not None:        # after every suite, so that an interruption loses little
            _write(arguments.output, header, results)
    if arguments.output is not None:
        draw_plots(results, arguments.output)
        print(f'\n{arguments.output}: benchmark.json, benchmark.md and plots')


def _write(folder: Path, header: dict[str, Any], results: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / 'benchmark.json', {**header, 'results': results})
    write_text(folder / 'benchmark.md', f'{one_line(header["machine"])}\n\n{tables(results)}\n')
