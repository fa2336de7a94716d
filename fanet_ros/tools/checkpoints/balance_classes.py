# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Balance the classes: add a bias to the logits of each class, fitted on held-out labelled frames.

    ros2 run fanet_ros balance_classes runs/own/checkpoint.safetensors --on runs/own/checkpoint.safetensors data/val \\
        --output own.safetensors

Costs nothing at inference. If the network was trained on all available frames, fit the class bias with other networks of the
same recipe that were not, one --on for each: the average of their mean IoUs is maximised. Or copy the class bias of another
network of the recipe with --like.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.number_arguments import not_negative_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Fit the class bias, print its effect and write the checkpoint; returns the exit code."""
    arguments = _parser().parse_args(argv)
    from fanet_ros.tools.checkpoints.balance_classes_run import balance
    return exit_code_of('balance_classes', lambda: balance(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='balance_classes', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='name or path of the checkpoint to balance')
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--like', metavar='CHECKPOINT', help='a balanced checkpoint of the same recipe whose class bias to copy')
    source.add_argument('--on', nargs='+', action='append', metavar=('CHECKPOINT', 'DATA'),
                        help='a checkpoint, a folder (images/, labels/) that it was not trained on, and optionally name prefixes '
                             'to use only some of its images; may be repeated')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='data set key of a training recipe for every --on, such as labels=colors')
    parser.add_argument('--strength', type=not_negative_argument, default=0.75,
                        help='share of the fitted bias to apply: new frames need a little less (default 0.75)')
    parser.add_argument('--output', type=Path, required=True, help='.safetensors file to write')
    return parser
