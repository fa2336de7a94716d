# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrate a checkpoint's confidence, so that four in five pixels of confidence 0.8 are right. Labels do not change.

    ros2 run fanet_ros calibrate runs/mine/checkpoint.safetensors --data data/val --output mine.safetensors

Fits a single number, the temperature, on held-out labelled frames and stores it in the metadata of the checkpoint. Every engine
divides the logits by it, at no cost.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.tools.data_arguments import add_data_arguments, data_config


def main(argv: Optional[list[str]] = None) -> int:
    """Fit the temperature, print its effect and write the checkpoint; returns the exit code."""
    arguments = _parser().parse_args(argv)
    return exit_code_of('calibrate', lambda: _calibrate(arguments))


def _calibrate(arguments: argparse.Namespace) -> None:
    """:raises ValueError: unusable checkpoint or data"""
    from fanet_ros.datasets.fingerprints import count_known
    from fanet_ros.datasets.layouts import load_dataset
    from fanet_ros.evaluation.calibration import calibration_error, fit_temperature
    from fanet_ros.evaluation.class_balance import score_pixels
    from fanet_ros.inference import ClassMap
    from fanet_ros.model import change_metadata, load_checkpoint
    checkpoint = load_checkpoint(arguments.checkpoint)
    metadata = checkpoint.metadata
    samples = load_dataset(data_config(arguments), ClassMap.of_checkpoint(metadata))
    pixels, = score_pixels(checkpoint, samples, description='calibrate', resolutions=(1.0,))
    if not pixels.labels.size:
        raise ValueError(f'no pixel of {arguments.data} is labelled: give other frames')
    temperature = round(fit_temperature(pixels), 3)
    for title, value in (('as trained', 1.0), ('before', metadata.temperature), ('calibrated', temperature)):
        if title != 'before' or value != 1.0:
            print(f'{title:11} temperature {value:5.3f}: confidence and accuracy differ by '
                  f'{100 * calibration_error(pixels, value):.1f} points')
    known = count_known(metadata.training_frames, samples.entries)
    if known:
        print(f'{known} of these {len(samples)} frames were trained on: on others the network is less accurate than it seems here')
    change_metadata(arguments.checkpoint, arguments.output, temperature=temperature)
    print(f'{arguments.output}: calibrated on {len(samples)} frames, {pixels.labels.size} pixels')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='calibrate', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='shipped name or path')
    add_data_arguments(parser)
    parser.add_argument('--output', type=Path, required=True, help='.safetensors file to write')
    return parser
