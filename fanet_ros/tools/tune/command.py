# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the best checkpoint, resolution and engine for your camera and machine, and write the parameter file for it.

    ros2 run fanet_ros tune drive_1 --output tuned                 # a bag: its frame rate sets the budget
    ros2 run fanet_ros tune camvid/val --output tuned --budget-ms 50 --memory-mb 1500
    ros2 launch fanet_ros segmentation.launch.py params_file:=tuned/tuned.param.yaml

SOURCE is a rosbag2, a folder of images (with labels: images/ and labels/), a video, /dev/videoN or 'street'. For a live
camera topic, record a few seconds first:
    ros2 run fanet_ros recorder_node --ros-args -p output:=drive_1 -p topics:='[/camera/image_raw]'

Every candidate runs in its own process, through the Segmenter that the node uses. With labels its quality is the
mIoU, without them the agreement with the largest resolution. The same command resumes after an interruption; with
another budget it chooses again from the existing measurements.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.choices import ENGINES, PRECISIONS
from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.number_arguments import count_argument, not_negative_argument, positive_argument
from fanet_ros.size_text import METAVAR, size_argument

DEFAULT_SCALES = (0.375, 0.5, 0.75, 1.0, 1.5)


def main(argv: Optional[list[str]] = None) -> int:
    """Measure, choose and write; returns the exit code: 0, 1 with one line on stderr, or 130 when interrupted."""
    arguments = parse_arguments(argv)
    from fanet_ros.tools.tune.run import tune
    with sigterm_interrupts():
        return exit_code_of('tune', lambda: tune(arguments),
                            stopped=f'stopped; run the same command again to resume from {arguments.output}',
                            remedy=lambda _: 'choose another --output, or check its free space and permissions')


def parse_arguments(argv: Optional[list[str]]) -> argparse.Namespace:
    """Parse the command line; exits with a message if it is invalid."""
    parser = argparse.ArgumentParser(
        prog='tune', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='SOURCE')
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help='folder for tuned.param.yaml, tune.md, .json, .png')
    frames = parser.add_argument_group('frames')
    frames.add_argument('--frames', type=count_argument, default=40,
                        help='number of frames, spread evenly over the source (default 40)')
    frames.add_argument('--image-topic', default='', metavar='TOPIC', help='camera to use in a bag with several cameras')
    frames.add_argument('--labels', default='', metavar='DIR', help='labels of the images in SOURCE: NAME.png')
    frames.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='options for labels, as in a recipe: labels=colors, class_map=MAP.yaml, rename.THEIRS=OURS')
    candidates = parser.add_argument_group('candidates')
    candidates.add_argument('--checkpoints', nargs='+', metavar='NAME',
                            help='shipped names or paths (default: all shipped)')
    sizes = candidates.add_mutually_exclusive_group()
    sizes.add_argument('--scales', nargs='+', type=positive_argument, default=list(DEFAULT_SCALES),
                       help="like the node's input_scale: relative to the training resolution, in the frames' aspect ratio "
                       '(default: %(default)s)')
    sizes.add_argument('--resolutions', nargs='+', type=size_argument, default=[], metavar=METAVAR, help='fixed sizes instead [px]')
    candidates.add_argument('--engines', nargs='+', choices=ENGINES[1:],
                            help='(default: all installed ones except torch_compile, which takes minutes to start)')
    candidates.add_argument('--precisions', nargs='+', choices=PRECISIONS[1:],
                            help='(default: float16 on CUDA; else float32, and bfloat16 where the processor has it); int8 is '
                            'calibrated on the frames')
    candidates.add_argument('--device', default='', help='auto, cpu, cuda or cuda:N (default: as in the parameter file)')
    candidates.add_argument('--timeout-s', type=positive_argument, default=900.0,
                            help='time limit for each candidate (default %(default)g)')
    candidates.add_argument('--remeasure', action='store_true', help='repeat measurements made while other processes were busy')
    budget = parser.add_argument_group('budget')
    times = budget.add_mutually_exclusive_group()
    times.add_argument('--budget-ms', type=positive_argument, help='limit for the p95 latency of a frame [ms]')
    times.add_argument('--rate-hz', type=positive_argument, help='rate of the camera (default: that of SOURCE, otherwise 10)')
    budget.add_argument('--reserve-ms', type=not_negative_argument, default=0.0,
                        help='part of the budget reserved for receiving and publishing (default 0)')
    budget.add_argument('--memory-mb', type=positive_argument,
                        help='memory limit of the process, or of the GPU if it runs on one')
    parser.add_argument('--params-file', type=Path, help='your parameter file: settings that are not tuned are kept')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser.parse_args(argv)
