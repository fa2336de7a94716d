# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluate a checkpoint on labelled images, through the Segmenter that the node uses.

    ros2 run fanet_ros evaluate --data DIR --resolutions 0.5 0.75 1 1.5 2 --report out
    ros2 run fanet_ros evaluate --data DIR --resolutions 1 480x360         # original aspect ratio versus squeezed
"""
from __future__ import annotations

import argparse
import math
from contextlib import suppress
from pathlib import Path
from typing import Optional

from fanet_ros.atomic_file import write_json
from fanet_ros.host.termination import exit_code_of
from fanet_ros.number_arguments import share_argument
from fanet_ros.size_text import read_size
from fanet_ros.tools.data_arguments import add_data_arguments, data_config
from fanet_ros.tools.network_arguments import add_network_arguments

OWN_SIZE = 0, 0, 1.0        # input_height, input_width, input_scale: the node's defaults


def main(argv: Optional[list[str]] = None) -> int:
    """Print a table of mIoU, pixel accuracy, boundary F-score and IoU by class; returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.smoothing and not arguments.video:
        parser.error('--smoothing needs --video: without it the frames are not taken as one video')
    return exit_code_of('evaluate', lambda: _evaluate(arguments))


def _evaluate(arguments: argparse.Namespace) -> None:
    from fanet_ros.datasets.fingerprints import count_known
    from fanet_ros.datasets.layouts import load_dataset
    from fanet_ros.evaluation.evaluation import evaluate
    from fanet_ros.evaluation.report import figures, table, write_report
    from fanet_ros.inference import Segmenter, SegmenterOptions
    for folder in filter(None, (arguments.json and arguments.json.parent, arguments.report)):
        folder.mkdir(parents=True, exist_ok=True)       # before the evaluation, which may take hours
    segmenter = Segmenter.from_checkpoint(arguments.checkpoint, SegmenterOptions.taken_from(arguments))
    samples = load_dataset(data_config(arguments), segmenter.class_map)
    sizes = [input_size(text) for text in arguments.resolutions]
    evaluations = []
    for text, size in zip(arguments.resolutions, sizes):
        segmenter.set_input_size(*size)
        evaluations.append(evaluate(segmenter, samples, description=f'resolution {text}', is_video=arguments.video,
                                    smoothing=arguments.smoothing))
        if math.isnan(evaluations[-1].mean_iou):
            raise ValueError(f'no pixel of {arguments.data} is labelled: check its masks, --set labels, class_map and rename')
    print(f'\n{segmenter.checkpoint_name} ({segmenter.variant}) by {segmenter.engine_description}, {len(samples)} '
          f'frames of {arguments.data}, figures in percent\n{table(evaluations, segmenter.class_map)}')
    trained = count_known(segmenter.metadata.training_frames, samples.entries)
    if trained:
        print(f'{trained} of these {len(samples)} frames were trained on: the figures say little about other frames')
    if arguments.json:
        write_json(arguments.json, [figures(item, segmenter.class_map) for item in evaluations])
    if arguments.report:
        title = f'{segmenter.checkpoint_name} on {arguments.data}, {len(samples)} frames'
        shown = sizes.index(OWN_SIZE) if OWN_SIZE in sizes else 0
        print(f'report: {write_report(arguments.report, title, segmenter.class_map, evaluations, shown=shown)}')


def input_size(text: str) -> tuple[int, int, float]:
    """Parse 'WIDTHxHEIGHT' or a scale factor into the node's input_height, input_width and input_scale.

    :raises ValueError: `text` is neither
    """
    with suppress(ValueError):
        return *read_size(text), 1.0
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise ValueError(f'--resolutions {text!r}: expected WIDTHxHEIGHT or a factor such as 0.75')
    return 0, 0, factor


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='evaluate', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_arguments(parser)
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path (default: %(default)s)')
    add_network_arguments(parser)
    parser.add_argument('--calibration-images', default='', help='folder of frames that int8 is calibrated on')
    parser.add_argument('--resolutions', nargs='+', default=['1'], metavar='SIZE',
                        help="factors like the node's input_scale: 1 (default) is the checkpoint's number of pixels in each "
                        "frame's aspect ratio; or WIDTHxHEIGHT, to which all frames are squeezed")
    parser.add_argument('--video', action='store_true',
                        help='treat the frames, in order of their names, as one video: also measure flicker')
    parser.add_argument('--smoothing', type=share_argument, default=0.0, help="with --video: like the node's temporal_smoothing")
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    parser.add_argument('--report', type=Path, help="folder for plots and images: mIoU by resolution, and at the "
                        "checkpoint's own (or the first) resolution IoU, confusion matrix, best and worst frames")
    return parser
