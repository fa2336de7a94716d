# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `balance_classes` command: fit a class bias on labelled frames and add it to the logits."""
from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Sequence

import numpy as np
import torch

from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.layouts import load_dataset
from fanet_ros.evaluation.class_balance import ScoredPixels, fit_class_bias, score_pixels
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.inference import ClassMap
from fanet_ros.model import Checkpoint, CheckpointError, FANet, load_checkpoint, save_checkpoint
from fanet_ros.tools.data_arguments import with_settings


def balance(arguments: argparse.Namespace) -> None:
    """Fit the class bias, print its effect and write the checkpoint.

    :raises ValueError: unusable checkpoint or data
    """
    checkpoint = load_checkpoint(arguments.checkpoint)
    if arguments.like:
        offsets = _offsets_of(arguments.like, checkpoint.metadata.class_names)
        if checkpoint.metadata.class_bias:      # replaced, not added to
            offsets = offsets - _class_bias(checkpoint.network).detach().double().numpy()
        save_checkpoint(arguments.output, *with_offsets(checkpoint, offsets))
        print(f'{arguments.output}: balanced like {arguments.like}')
        return
    names = checkpoint.metadata.class_names
    for given in arguments.on:
        if len(given) < 2:
            raise CheckpointError(f'--on {given[0]}: expected a checkpoint, a folder with images/ and labels/, then any prefixes')
    scored = [_scored(name, with_settings({'layout': 'folder', 'path': data, 'only': prefixes}, arguments.set), names)
              for name, data, *prefixes in arguments.on]
    offsets = np.round(arguments.strength * fit_class_bias([pixels for sets in scored for pixels in sets]), 2)
    for given, sets in zip(arguments.on, scored):
        title = ' '.join([Path(given[1]).name, *given[2:]])
        print(f'{title}: {sets[0].labels.size} pixels, by resolution\n{_table(names, offsets, sets)}\n')
    save_checkpoint(arguments.output, *with_offsets(checkpoint, offsets))
    print(f'{arguments.output}: balanced; the class bias was fitted on the frames above, so measure it on others')


def with_offsets(checkpoint: Checkpoint, offsets: np.ndarray) -> Checkpoint:
    """The checkpoint with `offsets` (C,) added to its class bias, and without figures."""
    recipe = f'{checkpoint.metadata.recipe}; classes balanced by {", ".join(f"{offset:+.2f}" for offset in offsets)}'
    metadata = replace(checkpoint.metadata, class_bias=True, temperature=1.0, recipe=recipe, figures={})
    network = metadata.build_network()
    network.load_state_dict(checkpoint.network.state_dict(), strict=False)      # a missing class bias starts at zero
    with torch.no_grad():
        _class_bias(network).add_(torch.from_numpy(offsets).float())
    return Checkpoint(network.eval(), metadata)


def _offsets_of(name: str, class_names: Sequence[str]) -> np.ndarray:
    """(C,) class bias of another checkpoint.

    :raises CheckpointError: it has none, or other classes
    """
    other = _of_equal_classes(name, class_names)
    if not other.metadata.class_bias:
        raise CheckpointError(f'--like {name}: it has no class bias; give a checkpoint that balance_classes wrote')
    return _class_bias(other.network).detach().double().numpy()


def _class_bias(network: FANet) -> torch.Tensor:
    bias = network.clslayer.conv_out.bias
    assert bias is not None
    return bias


def _of_equal_classes(name: str, class_names: Sequence[str]) -> Checkpoint:
    checkpoint = load_checkpoint(name)
    if tuple(checkpoint.metadata.class_names) != tuple(class_names):
        raise CheckpointError(f'{name} has other classes than the checkpoint to balance: they must be equal')
    return checkpoint


def _scored(name: str, config: DataConfig, class_names: Sequence[str]) -> list[ScoredPixels]:
    """:raises ValueError: the checkpoint has other classes, or the data are unusable"""
    checkpoint = _of_equal_classes(name, class_names)
    scored = score_pixels(checkpoint, load_dataset(config, ClassMap.of_checkpoint(checkpoint.metadata)),
                          description=f'{Path(name).parent.name or name} on {Path(config.path).name}')
    if not scored[0].labels.size:
        raise CheckpointError(f'no pixel of {config.path} is labelled: give other frames')
    return scored


def _table(class_names: Sequence[str], offsets: np.ndarray, sets: Sequence[ScoredPixels]) -> str:
    """Bias, and IoU before and after by resolution, one line per class."""
    confusions = [[pixels.confusion(these) for these in (np.zeros_like(offsets), offsets)] for pixels in sets]
    lines = [f'{"":14}{"bias":>9}' + ''.join(f'{pixels.resolution:23g}x' for pixels in sets)]
    lines += [f'{name:14}{offset:+9.2f}' + ''.join(
        f'{100 * before.class_iou()[number]:14.1f} -> {100 * after.class_iou()[number]:6.1f}' for before, after in confusions)
        for number, (name, offset) in enumerate(zip(class_names, offsets))]
    for name, figure in (('mean IoU', ConfusionMatrix.mean_iou), ('pixel accuracy', ConfusionMatrix.pixel_accuracy)):
        lines.append(f'{name:23}' + ''.join(f'{100 * figure(before):14.1f} -> {100 * figure(after):6.1f}'
                                            for before, after in confusions))
    return '\n'.join(lines)
