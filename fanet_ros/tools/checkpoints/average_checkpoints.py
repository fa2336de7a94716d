# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Average the weights of checkpoints trained from one another or from a common ancestor.

    ros2 run fanet_ros average_checkpoints runs/a/checkpoint.safetensors runs/b/checkpoint.safetensors --output c.safetensors

The result is as fast as one of them, and often better than each (model soups; Wortsman et al., arXiv 2203.05482); evaluate it.
"""
from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence

from fanet_ros.host.termination import exit_code_of

if TYPE_CHECKING:
    from fanet_ros.model import Checkpoint

# Metadata that must be equal: otherwise the mean of the weights is meaningless.
ALIKE = ('variant', 'flavor', 'class_names', 'mean', 'std', 'strides', 'temporal_frames', 'class_bias')


def average(checkpoints: Sequence[Checkpoint], names: Sequence[str]) -> Checkpoint:
    """Average every tensor, BatchNorm's included; of the metadata, all but figures, recipe and training frames are the first one's.

    :param names: of the checkpoints, for the recipe and for errors
    :raises CheckpointError: the networks or classes differ
    """
    import torch

    from fanet_ros.datasets.fingerprints import merged
    from fanet_ros.model import Checkpoint, CheckpointError
    first = checkpoints[0]
    for name, other in zip(names[1:], checkpoints[1:]):
        for field in ALIKE:
            ours, theirs = getattr(first.metadata, field), getattr(other.metadata, field)
            if ours != theirs:
                raise CheckpointError(f'{name} has {field} {theirs!r}, {names[0]} has {ours!r}: they must be equal')
    states = [checkpoint.network.state_dict() for checkpoint in checkpoints]
    first.network.load_state_dict({
        key: torch.stack([state[key].double() for state in states]).mean(0).to(value.dtype)
        if value.is_floating_point() else value for key, value in states[0].items()})
    recipe = f'mean of the weights of {", ".join(names)}; the first: {first.metadata.recipe}'
    frames = merged(checkpoint.metadata.training_frames for checkpoint in checkpoints)
    return Checkpoint(first.network, replace(first.metadata, recipe=recipe, figures={}, training_frames=frames))


def main(argv: Optional[list[str]] = None) -> int:
    """Read, average, write; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='average_checkpoints', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoints', nargs='+', help='names or paths, two or more')
    parser.add_argument('--output', type=Path, required=True, help='.safetensors file to write')
    arguments = parser.parse_args(argv)
    if len(arguments.checkpoints) < 2:
        parser.error('averaging needs two or more checkpoints')
    return exit_code_of('average_checkpoints', lambda: _average(arguments))


def _average(arguments: argparse.Namespace) -> None:
    from fanet_ros.model import load_checkpoint, save_checkpoint
    from fanet_ros.model.checkpoint_files import display_name
    loaded = [load_checkpoint(name) for name in arguments.checkpoints]
    save_checkpoint(arguments.output, *average(loaded, [display_name(name) for name in arguments.checkpoints]))
    print(f'{arguments.output}: mean of {len(loaded)} checkpoints; measure it with evaluate')
