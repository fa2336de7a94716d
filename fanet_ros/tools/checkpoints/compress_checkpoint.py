# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a checkpoint with 8 bits per weight: half the size on disk, nothing else changes. With --packed 6 bits for most weights.

    ros2 run fanet_ros compress_checkpoint runs/own/checkpoint.safetensors --output own.safetensors

Loading restores float32 weights, so speed and precision at inference are as before. Measure the result with evaluate:
the figures of the original are not copied.
"""
from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from fanet_ros.host.termination import exit_code_of

if TYPE_CHECKING:
    from fanet_ros.model import FANet


def rounding_error(network: FANet, rounded: FANet) -> float:
    """RMS change of the convolution weights by rounding, relative to the RMS of the weights."""
    after = rounded.state_dict()
    pairs = [(value, after[name]) for name, value in network.state_dict().items() if value.dim() == 4]
    changed = sum(float((ours - theirs).square().sum()) for ours, theirs in pairs)
    return (changed / sum(float(ours.square().sum()) for ours, _ in pairs)) ** 0.5


def main(argv: Optional[list[str]] = None) -> int:
    """Read, round, write; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='compress_checkpoint', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='shipped name or path')
    parser.add_argument('--output', type=Path, required=True, help='.safetensors file to write')
    parser.add_argument('--packed', action='store_true', help='6 bits for large convolutions: a fifth smaller again, less accurate')
    arguments = parser.parse_args(argv)
    return exit_code_of('compress_checkpoint', lambda: _compress(arguments))


def _compress(arguments: argparse.Namespace) -> None:
    import torch

    from fanet_ros.model import load_checkpoint, resolve_checkpoint, save_checkpoint
    before = resolve_checkpoint(arguments.checkpoint).stat().st_size
    network, metadata = load_checkpoint(arguments.checkpoint)
    save_checkpoint(arguments.output, network, replace(metadata, figures={}), dtype=torch.int8, is_packed=arguments.packed)
    error = rounding_error(network, load_checkpoint(arguments.output).network)
    print(f'{arguments.output}: {before / 1e6:.1f} -> {arguments.output.stat().st_size / 1e6:.1f} MB, weights changed by '
          f'{100 * error:.2f}% (root mean square); measure it with evaluate')
