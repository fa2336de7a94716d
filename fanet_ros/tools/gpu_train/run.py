# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train for a given number of minutes, and write result files small enough to transfer."""
from __future__ import annotations

import argparse
import os
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Mapping

import torch

from fanet_ros.atomic_file import write_json
from fanet_ros.datasets.fingerprints import TRAINING_FRAMES
from fanet_ros.host.processor import processor_name
from fanet_ros.inference.device import choose_device
from fanet_ros.model import load_checkpoint, save_checkpoint
from fanet_ros.tools.train import command as train
from fanet_ros.training.config import TrainingConfig, describe, difference
from fanet_ros.training.run_folder import BEST_NAME, CHECKPOINT_NAME

PART_BYTES = 15 * 2**20


def run(arguments: argparse.Namespace) -> int:
    """Train, compress, write; returns the exit code of the training.

    :raises ValueError: no such recipe
    """
    recipe, output = train.find_recipe(arguments.recipe).resolve(), arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    os.chdir(arguments.data)
    # Save rarely: saving takes half a second, hundreds of iterations a few seconds.
    # Augment on the device even if it is a CPU, so that a rehearsal runs the same code as a GPU.
    overrides = [f'training.minutes={arguments.minutes}', 'training.save_every=1000', 'loader.on_device=always', *arguments.set]
    start = time.monotonic()
    code = train.main([str(recipe), '--output', str(output / 'run'), '--device', arguments.device]
                      + [word for text in overrides for word in ('--set', text)])
    config = TrainingConfig.load(recipe, overrides)
    if not (output / 'run' / CHECKPOINT_NAME).is_file():
        return code
    state = torch.load(output / 'run' / 'state.pt', map_location='cpu', weights_only=True)
    if difference(state['recipe'], config) is not None:     # the folder holds another training, so this one was refused
        return code
    for name in (CHECKPOINT_NAME, BEST_NAME):
        if (output / 'run' / name).is_file():
            compress(output / 'run' / name, output / name)
    figures = _figures(config, state, str(choose_device(arguments.device)), time.monotonic() - start)
    write_json(output / 'training.json', figures)
    print(f'{figures["iterations"]} iterations, {figures["images_per_second"]:.1f} images/s on {figures["device"]}; '
          f'{output / "training.json"}')
    return code


def _figures(config: TrainingConfig, state: Mapping[str, Any], device: str, wall_s: float) -> dict[str, Any]:
    """Results of the training. The speed counts the time between first and last step, without reading the data."""
    images = state['iteration'] * config.training.batch_size * config.training.accumulate
    return {
        'recipe': describe(config), 'iterations': state['iteration'], 'training_s': round(state['seconds'], 1),
        'wall_s': round(wall_s, 1), 'images_per_second': images / max(state['seconds'], 1e-9),
        'device': torch.cuda.get_device_name(device) if device.startswith('cuda') else processor_name(),
        'torch': torch.__version__, 'python': platform.python_version(),
        'losses': [round(loss, 4) for loss in state['losses'][::10]], 'validation': state['validation']}


def compress(source: Path, target: Path) -> None:
    """Write a checkpoint with 8 bits per weight, split into parts if it is larger than PART_BYTES; replaces an earlier one.

    Fingerprints of the original training frames are taken from the current directory if `pack --quality` left them there.
    """
    network, metadata = load_checkpoint(source)
    original = Path(TRAINING_FRAMES)
    if original.is_file():
        metadata = replace(metadata, training_frames=original.read_text())
    save_checkpoint(target, network, metadata, dtype=torch.int8)
    for part in target.parent.glob(f'{target.name}.[0-9][0-9]'):
        part.unlink()
    content = target.read_bytes()
    if len(content) > PART_BYTES:
        for number, first in enumerate(range(0, len(content), PART_BYTES)):
            target.with_name(f'{target.name}.{number:02}').write_bytes(content[first:first + PART_BYTES])
        target.unlink()
