"""Train on a borrowed GPU for so many minutes, and leave what may be carried away: `gpu_train RECIPE --minutes 8 --output DIR`.

    make gpu-train RECIPE=fanet18_camvid MINUTES=8 DATA=/tmp/data OUT=gpu_training

Needs no ROS and no installation. The recipe's data lie below DATA, where `pack --unpack` put them; its iterations do not count,
the schedule follows the clock and the averaged weights are done when the minutes are. DIR then holds

    checkpoint.safetensors      8 bits to a weight; in parts .00, .01, ... where it is larger than PART_BYTES: join them with cat
    training.json               recipe, device, images a second, losses, validation

and run/, from which the same command goes on: minutes count over all calls.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any, Optional

import torch

from fanet_ros.inference.device import choose_device, processor_name
from fanet_ros.model import load_checkpoint, save_checkpoint
from fanet_ros.tools import train
from fanet_ros.training.config import TrainingConfig, describe
from fanet_ros.training.run_folder import BEST_NAME, CHECKPOINT_NAME

PART_BYTES = 15 * 2**20


def main(argv: Optional[list[str]] = None) -> int:
    """Train, compress, write; returns the exit code of the training."""
    arguments = _parser().parse_args(argv)
    recipe, output = train.find_recipe(arguments.recipe).resolve(), arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    os.chdir(arguments.data)
    # Saving takes half a second, hundreds of iterations some seconds.
    overrides = [f'training.minutes={arguments.minutes}', 'training.save_every=1000', *arguments.set]
    start = time.monotonic()
    code = train.main([str(recipe), '--output', str(output / 'run'), '--device', arguments.device]
                      + [word for text in overrides for word in ('--set', text)])
    if not (output / 'run' / CHECKPOINT_NAME).is_file():
        return code
    for name in (CHECKPOINT_NAME, BEST_NAME):
        if (output / 'run' / name).is_file():
            compress(output / 'run' / name, output / name)
    config = TrainingConfig.load(recipe, overrides)
    figures = _figures(config, output / 'run', str(choose_device(arguments.device)), time.monotonic() - start)
    (output / 'training.json').write_text(json.dumps(figures, indent=1) + '\n')
    print(f'{figures["iterations"]} iterations, {figures["images_per_second"]:.1f} images/s on {figures["device"]}; '
          f'{output / "training.json"}')
    return code


def _figures(config: TrainingConfig, run: Path, device: str, wall_s: float) -> dict[str, Any]:
    """What the training came to. Its speed is that between the first step and the last, without reading the data."""
    state = torch.load(run / 'state.pt', map_location='cpu', weights_only=True)
    images = state['iteration'] * config.training.batch_size * config.training.accumulate
    return {
        'recipe': describe(config), 'iterations': state['iteration'], 'training_s': round(state['seconds'], 1),
        'wall_s': round(wall_s, 1), 'images_per_second': images / max(state['seconds'], 1e-9),
        'device': torch.cuda.get_device_name(device) if device.startswith('cuda') else processor_name(),
        'torch': torch.__version__, 'python': platform.python_version(),
        'losses': [round(loss, 4) for loss in state['losses'][::10]], 'validation': state['validation']}


def compress(source: Path, target: Path) -> None:
    """8 bits to a weight, in parts where that is still too much to carry in one file."""
    network, metadata = load_checkpoint(source)
    save_checkpoint(target, network, metadata, dtype=torch.int8)
    content = target.read_bytes()
    if len(content) > PART_BYTES:
        for number, first in enumerate(range(0, len(content), PART_BYTES)):
            target.with_name(f'{target.name}.{number:02}').write_bytes(content[first:first + PART_BYTES])
        target.unlink()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='gpu_train', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--minutes', type=float, default=8.0, help='of training, reading the data not counted (default: 8)')
    parser.add_argument('--data', type=Path, default=Path('.'), help='folder that the paths of the recipe lie in (default: here)')
    parser.add_argument('--output', type=Path, default=Path('gpu_training'), help='folder (default: gpu_training)')
    parser.add_argument('--device', default='cuda', help="'cuda', or 'cpu' to rehearse")
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    return parser


if __name__ == '__main__':
    sys.exit(main())
