# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark engines, precisions, variants and resolutions on this machine, interleaved.

Suites: `network` is the authors' protocol (logits at 1/8, random input); `labels` continues to full-resolution labels;
`segmenter` is frame to labels with frames of `--data` or `--source`; `batch` is the cost of a frame in a batch; `pixels` is how
cost grows with resolution; `attention` compares fast with plain self-attention; `training` is images per second of both trainers.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.choices import ENGINES, PRECISIONS, VARIANTS
from fanet_ros.host.termination import exit_code_of
from fanet_ros.size_text import METAVAR, size_argument

SUITES = ('network', 'labels', 'segmenter', 'batch', 'pixels', 'attention', 'training')
MIN_ROUNDS = 3


def parse_arguments(argv: Optional[list[str]]) -> argparse.Namespace:
    """Parse the command line; exits with a message if it is invalid."""
    parser = argparse.ArgumentParser(prog='benchmark', description='Time engines, precisions and resolutions, interleaved.')
    parser.add_argument('--suites', nargs='+', choices=SUITES, default=['network', 'labels', 'segmenter'])
    parser.add_argument('--sizes', nargs='+', type=size_argument, default=[(512, 1024)], metavar=METAVAR,
                        help='network resolutions [px] (default 1024x512)')
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=['fanet18'],
                        help='networks for the suites network, labels, batch, pixels and training, with random weights')
    parser.add_argument('--engines', nargs='+', choices=ENGINES[1:],
                        help='default: all installed ones that start within seconds')
    parser.add_argument('--precisions', nargs='+', choices=PRECISIONS[1:], default=['float32', 'bfloat16', 'int8'])
    parser.add_argument('--batches', nargs='+', type=int, default=[1, 4])
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='for the suite segmenter: shipped name or path')
    parser.add_argument('--source', default='street', help="frames for suite segmenter: 'street', a video or a folder of images")
    parser.add_argument('--data', type=Path, help='labelled frames instead (images/NAME.jpg, labels/NAME.png), for the mIoU')
    parser.add_argument('--calibration', type=Path, help='folder of frames to calibrate int8 on; default: frames of --source')
    parser.add_argument('--authors', type=Path, help='checkout of github.com/feinanshan/FANet to use as the baseline')
    parser.add_argument('--rounds', type=int, default=9, help=f'rounds per case, at least {MIN_ROUNDS}')
    parser.add_argument('--frames', type=int, default=30, help='number of frames for the suite segmenter')
    parser.add_argument('--device', default='auto')
    parser.add_argument('--threads', type=int, default=0, help="CPU threads; 0: torch's choice")
    parser.add_argument('--output', type=Path, help='folder for benchmark.json, benchmark.md and plots')
    arguments = parser.parse_args(argv)
    if arguments.rounds < MIN_ROUNDS or arguments.frames < 1 or min(arguments.batches) < 1:
        parser.error(f'--rounds must be at least {MIN_ROUNDS}, --frames and --batches at least 1')
    return arguments


def main(argv: Optional[list[str]] = None) -> int:
    """Measure, print tables, write JSON and plots; returns the exit code."""
    arguments = parse_arguments(argv)
    from fanet_ros.tools.benchmark.run import run_suites
    return exit_code_of('benchmark', lambda: run_suites(arguments, argv))
