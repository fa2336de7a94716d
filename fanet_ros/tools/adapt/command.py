# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adapt a checkpoint to your camera and place, from a recorded drive without labels.

    ros2 run fanet_ros adapt drive_1 --checkpoint fanet18_camvid --output mine.safetensors
    ros2 param set /segmentation checkpoint $PWD/mine.safetensors

SOURCE is a rosbag2, a video, a folder of images or /dev/videoN. The BatchNorm statistics of its frames replace a share of the
original ones. With --teacher the network then learns from the labels that a better one gives to the frames: a checkpoint, or any
network for semantic segmentation as an ONNX file (input (1, 3, H, W) RGB, normalised as for ImageNet; output logits (1, C, h, w)).
With --labels it is fine-tuned on frames whose masks you have corrected (`pick` chooses frames that are worth it), and goes part of
the way to the result. A fifth of each quarter of the drive is not used for adapting: on it the adapted network is compared with the
original, without labels. If a check fails nothing is written and the exit code is 3.

The same command resumes after an interruption.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.number_arguments import count_argument, positive_argument

ORIGINAL_KEPT = 3


def main(argv: Optional[list[str]] = None) -> int:
    """Adapt; returns the exit code: 0, 3 if a check failed, 1 with one line on stderr, or 130 when interrupted."""
    arguments = parse_arguments(argv)
    with sigterm_interrupts():
        return exit_code_of('adapt', lambda: _adapt(arguments),
                            stopped=f'stopped; run the same command again to resume from {arguments.work}',
                            remedy=lambda _: 'choose another --work and --output, or check free space and permissions')


def _adapt(arguments: argparse.Namespace) -> int:
    from fanet_ros.tools.adapt.run import adapt  # here: takes seconds, in which Ctrl-C must work too, and not needed for --help
    return 0 if adapt(arguments) else ORIGINAL_KEPT


def parse_arguments(argv: Optional[list[str]]) -> argparse.Namespace:
    """Parse the command line; exits with a message if it is invalid."""
    parser = argparse.ArgumentParser(prog='adapt', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='SOURCE')
    parser.add_argument('--checkpoint', default='fanet18_camvid',
                        help='checkpoint to adapt, by shipped name or path (default: %(default)s)')
    parser.add_argument('--output', type=Path, required=True, metavar='FILE', help='the adapted checkpoint, NAME.safetensors')
    parser.add_argument('--work', type=Path, metavar='DIR',
                        help='folder for frames, resumable state and report (default: next to the output, NAME.adapt)')
    parser.add_argument('--frames', type=count_argument, default=300,
                        help='number of frames, spread evenly over the source (default %(default)s)')
    parser.add_argument('--image-topic', default='', metavar='TOPIC', help='camera to use in a bag with several cameras')
    parser.add_argument('--force', action='store_true', help='write the checkpoint even if a check fails')
    teacher = parser.add_argument_group('learning from a better network')
    teacher.add_argument('--teacher', default='', metavar='NETWORK', help='checkpoint, by shipped name or path, or an ONNX file')
    teacher.add_argument('--teacher-classes', default='', metavar='CLASS_MAP',
                         help='classes of an ONNX file: cityscapes19 or another one in config/class_maps, or a YAML file')
    teacher.add_argument('--teacher-rename', default='', metavar='YAML',
                         help="its classes that have another name in the checkpoint, '' for none: {person: pedestrian, "
                              "terrain: ''}, or a file with that")
    tuning = parser.add_argument_group('fine-tuning')
    tuning.add_argument('--labels', type=Path, metavar='DIR', help='frames with corrected masks, as written by `pick`')
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--iterations', type=count_argument,
                        help='length of the training with --teacher (default 300) and with --labels (default 100)')
    length.add_argument('--minutes', type=positive_argument, default=0.0, help='duration of each instead of a number of iterations')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu', 'cuda' or 'cuda:N'")
    parser.add_argument('--quiet', action='store_true', help='no progress bars')
    arguments = parser.parse_args(argv)
    if arguments.output.suffix != '.safetensors':
        parser.error(f'--output is {arguments.output}: expected NAME.safetensors')
    if arguments.work is None:
        arguments.work = arguments.output.with_suffix('.adapt')
    if not arguments.teacher and (arguments.teacher_classes or arguments.teacher_rename):
        parser.error('--teacher-classes and --teacher-rename need --teacher')
    return arguments
