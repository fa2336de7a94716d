# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Export a checkpoint to an ONNX file for one resolution or, with `--any-size`, for any; the file is checked against the network.

Without `--full`: `images` (1, 3, H, W) float32, normalised -> `logits` (1, C, H/8, W/8) float32. With it pre- and
postprocessing are included: `rgb` (H, W, 3) uint8 -> `labels` (H, W) uint8. Classes, colours, normalisation, size and
upsampling are in the file's metadata; docs/export.md shows how to run it.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.size_text import METAVAR, refuse_single_sides, size_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Write and check the file; returns the exit code."""
    parser = argparse.ArgumentParser(prog='export', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('output', type=Path, help='file to write, NAME.onnx')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path (default: %(default)s)')
    parser.add_argument('--resolution', type=size_argument, default=(0, 0), metavar=METAVAR,
                        help="network resolution [px] (default: the checkpoint's own)")
    parser.add_argument('--precision', choices=('float32', 'int8'), default='float32')
    parser.add_argument('--calibration', type=Path, help='for int8 (required): folder of frames from your camera')
    parser.add_argument('--full', action='store_true', help='RGB frame in, labels out: include pre- and postprocessing')
    parser.add_argument('--any-size', action='store_true', help='accept frames of any size; float32 only, somewhat slower')
    refuse_single_sides(parser, ('--input-height', '--input-width'), '--resolution')
    arguments = parser.parse_args(argv)
    if arguments.output.suffix != '.onnx':
        parser.error(f'{arguments.output}: expected a name that ends in .onnx, the format that is written')
    if arguments.precision == 'int8' and arguments.calibration is None:
        parser.error('--precision int8 needs --calibration, a folder of frames from your camera')
    if arguments.any_size and (arguments.precision != 'float32' or any(arguments.resolution)):
        parser.error('--any-size is for float32, without --resolution: int8 is calibrated at one size')
    from fanet_ros.tools.export.run import export
    return exit_code_of('export', lambda: print(export(
        arguments.output, arguments.checkpoint, *arguments.resolution,
        precision=arguments.precision, calibration=arguments.calibration, full=arguments.full,
        any_size=arguments.any_size)))
