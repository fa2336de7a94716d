# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the soft labels that a recipe uses: the predictions of a larger network on its images.

    ros2 run fanet_ros soft_labels fanet18_camvid --teacher runs/camvid34/checkpoint.safetensors
    ros2 run fanet_ros soft_labels fanet18_camvid --teacher fanet18_camvid --teacher fanet34_camvid --scales 1.5
    ros2 run fanet_ros soft_labels my_recipe.yaml --teacher large.onnx --teacher-classes cityscapes19

Each data set of the recipe with a key soft_labels gets that file, unless it exists. Predictions are averaged over several
network resolutions, mirrored images and, if there are several, the teachers, and are therefore better than one network at one
resolution. Teachers may have other classes than the recipe: soft_rename maps them. A teacher is a checkpoint, or any network for
semantic segmentation as an ONNX file: input (1, 3, H, W) RGB, normalised as for ImageNet, output logits (1, C, h, w). One of a
fixed size sees all images at that size.
"""
from __future__ import annotations

import argparse
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.number_arguments import count_argument, positive_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Predict and write the soft labels; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='soft_labels', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    parser.add_argument('--teacher', action='append', required=True,
                        help='checkpoint, by shipped name or path, or an ONNX file; give it again for the mean of several')
    parser.add_argument('--teacher-classes', default='', metavar='CLASS_MAP',
                        help='classes of ONNX files: cityscapes19 or another one in config/class_maps, or a YAML file')
    parser.add_argument('--scales', nargs='+', type=positive_argument, default=[1.0, 1.5], metavar='FACTOR',
                        help='network resolutions relative to the images (default: 1 1.5)')
    parser.add_argument('--stride', type=count_argument, default=4, help='image pixels per soft label (default: 4)')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu', 'cuda' or 'cuda:N'")
    arguments = parser.parse_args(argv)
    from fanet_ros.tools.soft_labels.run import run  # here: importing torch takes seconds, not needed for --help
    return exit_code_of('soft_labels', lambda: run(arguments))
