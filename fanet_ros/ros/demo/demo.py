# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""End-to-end demo: camera, segmentation node and recorder over real DDS, then images and figures from the bag.

    python -m fanet_ros demo                      # the built-in synthetic street
    python -m fanet_ros demo --source drive.mp4   # a video, a folder of images, or /dev/video0

All results are computed from the recorded bag, which is kept in the output directory.
"""
from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from fanet_ros.choices import ENGINES
from fanet_ros.host.termination import exit_on_sigterm
from fanet_ros.number_arguments import positive_argument
from fanet_ros.package_share import class_map_file
from fanet_ros.ros.demo.environment import DemoError
from fanet_ros.ros.demo.output import DemoOutput
from fanet_ros.size_text import METAVAR, refuse_single_sides, size_argument
from fanet_ros.sources import open_source

if TYPE_CHECKING:
    from fanet_ros.model import CheckpointMetadata
    from fanet_ros.ros.demo.report import Subject

STREET = 'street'
STREET_SIZE = (480, 360)
# Wider frames of the user's source are scaled down to this: copying raw 4K images would take two cores.
MAX_WIDTH_PX = 1280
EXIT_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Optional[list[str]] = None) -> int:
    """Run the demo; returns 0 if everything worked, otherwise 1 with the reason on stderr (130 after Ctrl-C)."""
    arguments = _parser().parse_args(argv)
    exit_on_sigterm()
    try:
        return _run(arguments)
    except (DemoError, ValueError, OSError) as error:
        print(f'demo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('demo: interrupted', file=sys.stderr)
        return EXIT_INTERRUPTED


def _run(arguments: argparse.Namespace) -> int:
    from fanet_ros.model import load_checkpoint
    from fanet_ros.ros.demo.report import make_report
    from fanet_ros.ros.demo.run import DemoSettings, record_demo
    from fanet_ros.ros.demo.summary import format_summary
    metadata = load_checkpoint(arguments.checkpoint).metadata
    width, height = camera_size(arguments.source, *reversed(arguments.size))
    output = DemoOutput(arguments.output)
    output.prepare()
    settings = DemoSettings(
        source=arguments.source, checkpoint=arguments.checkpoint, device=arguments.device,
        engine=arguments.engine, rate_hz=arguments.rate, frames=max(1, round(arguments.seconds * arguments.rate)),
        width=width, height=height, seed=arguments.seed)
    if not record_demo(settings, output):
        print('recording ended early: using what has been recorded')
    summary = make_report(output, _subject(arguments, metadata))
    print(f'\n{format_summary(summary)}\n')
    _print_paths(output)
    return 0 if summary.checks.passed else 1


def _print_paths(output: DemoOutput) -> None:
    made = {
        output.page: 'all results on one page, for a browser',
        output.contact_sheet: 'frames, masks and overlays at a glance',
        output.video: 'camera and overlay side by side',
        output.bag: 'the recording, for ros2 bag play',
        output.summary: 'the figures above, as JSON',
    }
    longest = max(len(str(path)) for path in made)
    print('results')
    for path, what in made.items():
        print(f'  {path!s:<{longest}}  {what}')
    print('\nlive, in a browser, with sliders: make live, or ros2 run fanet_ros live')


def _subject(arguments: argparse.Namespace, metadata: CheckpointMetadata) -> Subject:
    from fanet_ros.inference import ClassMap
    from fanet_ros.model.checkpoint_files import display_name
    from fanet_ros.ros.demo.report import Subject
    class_map = ClassMap.of_checkpoint(metadata)
    street_classes = ClassMap.load(class_map_file('camvid11'))
    named = 'synthetic street' if arguments.source == STREET else Path(arguments.source).name
    return Subject(
        source=named, checkpoint=display_name(arguments.checkpoint), class_map=class_map,
        true_labels_fit=class_map.names == street_classes.names)


def camera_size(source_name: str, width: int, height: int) -> tuple[int, int]:
    """(width, height) in px for the camera; (0, 0): the source's own size.

    :param width: requested by the user; `width` and `height` 0: choose here
    :raises SourceError: the user's source has no frame
    """
    if width or height:
        return width, height
    if source_name == STREET:
        return STREET_SIZE
    source = open_source(source_name)
    try:
        height, width = next(iter(source)).rgb.shape[:2]
    finally:
        source.close()
    if width <= MAX_WIDTH_PX:
        return 0, 0
    return MAX_WIDTH_PX, round(height * MAX_WIDTH_PX / width)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='demo', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--source', default=STREET,
                        help="'street' (default), or the path of a video, image folder or camera device")
    parser.add_argument('--seconds', type=positive_argument, default=20.0,
                        help='how long to record (default 20)')
    parser.add_argument('--rate', type=positive_argument, default=10.0, help='camera frames per second (default 10)')
    parser.add_argument('--size', type=size_argument, default=(0, 0), metavar=METAVAR,
                        help=f'size of the camera frames [px]; default: {STREET_SIZE[0]}x{STREET_SIZE[1]} for the street, '
                             f"otherwise the source's own up to a width of {MAX_WIDTH_PX}")
    refuse_single_sides(parser, ('--width', '--height'), '--size')
    parser.add_argument('--checkpoint', default='fanet18_camvid',
                        help='name or path (default fanet18_camvid)')
    parser.add_argument('--device', default='auto', help="'auto' (default), 'cpu', 'cuda' or 'cuda:N'")
    parser.add_argument('--engine', default='auto', choices=ENGINES,
                        help='inference backend (default auto: the fastest on this machine, measured once)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the synthetic street (default 0)')
    parser.add_argument('--output', type=Path, default=Path('demo_output'),
                        help='output directory (default demo_output)')
    return parser
