# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every program of the package by name: `fanet_ros NAME ...` after pip, `ros2 run fanet_ros NAME ...` on a robot.

This is the only list: CMake creates an executable for ros2 run from every line of COMMANDS.
"""
from __future__ import annotations

import ast
import difflib
import gc
import os
import signal
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Iterator, Optional, Sequence

from fanet_ros.imports import import_quickly

# Name -> module with main(argv).
COMMANDS = {
    'segmentation_node': 'fanet_ros.ros.segmentation.segmentation_node',
    'camera_node': 'fanet_ros.ros.camera.camera_node',
    'recorder_node': 'fanet_ros.ros.bag.recorder_node',
    'player_node': 'fanet_ros.ros.bag.player_node',
    'dashboard': 'fanet_ros.ros.dashboard.dashboard',
    'demo': 'fanet_ros.ros.demo.demo',
    'live': 'fanet_ros.ros.demo.live',
    'doctor': 'fanet_ros.ros.doctor.doctor',
    'tune': 'fanet_ros.tools.tune.command',
    'adapt': 'fanet_ros.tools.adapt.command',
    'pick': 'fanet_ros.tools.pick.command',
    'train': 'fanet_ros.tools.train.command',
    'evaluate': 'fanet_ros.tools.evaluate',
    'segment_bag': 'fanet_ros.tools.segment_bag.command',
    'segment_bags': 'fanet_ros.tools.segment_bags.command',
    'compare_masks': 'fanet_ros.tools.compare_masks.command',
    'cut_frames': 'fanet_ros.tools.cut_frames.command',
    'segment_images': 'fanet_ros.tools.segment_images.command',
    'export': 'fanet_ros.tools.export.command',
    'import_weights': 'fanet_ros.tools.checkpoints.import_weights',
    'average_checkpoints': 'fanet_ros.tools.checkpoints.average_checkpoints',
    'balance_classes': 'fanet_ros.tools.checkpoints.balance_classes',
    'calibrate': 'fanet_ros.tools.checkpoints.calibrate',
    'compress_checkpoint': 'fanet_ros.tools.checkpoints.compress_checkpoint',
    'soft_labels': 'fanet_ros.tools.soft_labels.command',
    'pack': 'fanet_ros.tools.pack.command',
    'gpu': 'fanet_ros.tools.gpu.command',
    'gpu_train': 'fanet_ros.tools.gpu_train.command',
    'benchmark': 'fanet_ros.tools.benchmark.command',
    'benchmark_bags': 'fanet_ros.tools.benchmark_bags.command',
    'benchmark_dashboard': 'fanet_ros.ros.dashboard.benchmark_dashboard',
    'benchmark_start': 'fanet_ros.ros.benchmark.benchmark_start',
    'benchmark_transport': 'fanet_ros.ros.benchmark.benchmark_transport',
}
HELP = {'-h', '--help'}


def run(name: str, argv: Sequence[str]) -> int:
    """Run the program `name` of COMMANDS; returns its exit code, 130 for a tool that was interrupted: its work is not done."""
    code_of_interrupt = 0 if _is_node(name) or name == 'live' else 130
    with _leaving_on_interrupt(code_of_interrupt):
        if _is_node(name) and not HELP.isdisjoint(argv):        # other programs parse --help themselves
            print(_node_help(name))
            return 0
        main_of_program = import_quickly(COMMANDS[name]).main
        gc.freeze()         # modules stay: no collection looks at them again, which would interrupt frames
    try:
        return main_of_program(list(argv)) or 0
    except KeyboardInterrupt:               # while modules load, which many programs do after reading their arguments
        return code_of_interrupt


@contextmanager
def _leaving_on_interrupt(exit_code: int) -> Iterator[None]:
    """Ctrl-C ends the process at once. A KeyboardInterrupt in a callback of the import system would be printed and lost."""
    if signal.getsignal(signal.SIGINT) != signal.default_int_handler:      # such as ignored
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(exit_code))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """`fanet_ros NAME ...`; NAME may have dashes for underscores. Returns the exit code, 2 for an unknown name."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or given[0] in HELP:
        width = max(map(len, COMMANDS))
        print('usage: fanet_ros NAME [ARGUMENT ...], fanet_ros NAME --help\n\n' + '\n'.join(
            f'{name:{width}}  {purpose(name).splitlines()[0]}' for name in COMMANDS))
        return 0 if given else 2
    name = given[0].replace('-', '_')
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, 1)
        print(f'fanet_ros: no program {given[0]!r}' + (f', did you mean {close[0]}?' if close else '; see fanet_ros --help'),
              file=sys.stderr)
        return 2
    return run(name, given[1:])


def purpose(name: str) -> str:
    """Description of the program `name`: the docstring of its module, read without importing it, since torch takes seconds."""
    source = Path(__file__).parents[1].joinpath(*COMMANDS[name].split('.')).with_suffix('.py')
    return (ast.get_docstring(ast.parse(source.read_text(encoding='utf-8'))) or '').strip()


def _is_node(name: str) -> bool:
    return name.endswith('_node') or name == 'dashboard'


def _node_help(name: str) -> str:
    """Help text of a node, without importing its module, which loads torch."""
    settings = import_module('fanet_ros.ros.parameter_tables').SETTINGS[name]
    return import_module('fanet_ros.ros.common.node_help').help_text(name, purpose(name), settings.specs())
