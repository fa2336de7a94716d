# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train FANet with a recipe: `train RECIPE --output DIR`. The same command resumes an interrupted training.

    ros2 run fanet_ros train own_folder --output runs/mine --set data.0.path=DIR --set class_map=MAP.yaml
    torchrun --nproc_per_node 4 -m fanet_ros train cityscapes --output runs/cityscapes

RECIPE is a YAML file, or the name of one in config/training. Its paths are relative to the current directory.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.package_share import share_directory

if TYPE_CHECKING:
    from fanet_ros.training.processes import Processes


def main(argv: Optional[list[str]] = None) -> int:
    """Train, resuming the run in `--output` if any, and write checkpoints and report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    from fanet_ros.training.processes import Processes  # imports torch: not needed for --help
    processes = Processes.from_environment()
    stopped = f'stopped; run the same command again to resume from {arguments.output}' if processes.is_first else ''
    return exit_code_of('train', lambda: _train(arguments, processes), stopped=stopped)


def _train(arguments: argparse.Namespace, processes: Processes) -> None:
    import cv2
    import torch

    from fanet_ros.datasets.config_reader import ConfigError
    from fanet_ros.inference.device import choose_device
    from fanet_ros.tools.train.run import train
    from fanet_ros.training.config import TrainingConfig
    from fanet_ros.training.run_folder import RunFolder
    cv2.setNumThreads(1)        # the loader has its own threads, which would compete with OpenCV's for the cores
    try:
        config = TrainingConfig.load(find_recipe(arguments.recipe), arguments.set)
        device = processes.device(str(choose_device(arguments.device)))
        processes.join(device)
        torch.backends.cudnn.benchmark = True       # all batches have one shape
        torch.backends.cuda.matmul.allow_tf32 = True
        if config.training.minutes and processes.count > 1:
            raise ConfigError('training.minutes is for one process: several have separate clocks, give training.iterations')
        with RunFolder(arguments.output, owner=processes.is_first) as folder:
            if not train(config, folder, device, processes, arguments.resume):
                raise KeyboardInterrupt
    except torch.cuda.OutOfMemoryError:
        raise ConfigError('out of GPU memory: lower training.batch_size and raise training.accumulate by the same factor, or '
                          'use smaller crops') from None
    finally:
        processes.leave()


def find_recipe(name_or_path: str) -> Path:
    """Find a recipe of config/training by name, or any by path.

    :raises ValueError: there is no such recipe
    """
    shipped = share_directory() / 'config' / 'training' / f'{name_or_path}.yaml'
    path = shipped if shipped.is_file() else Path(name_or_path)
    if not path.is_file():
        names = sorted(recipe.stem for recipe in shipped.parent.glob('*.yaml'))
        raise ValueError(f'there is no recipe {name_or_path!r}: expected the path of a YAML file, or one of {", ".join(names)}')
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='train', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--output', type=Path, required=True, help='folder for state, checkpoints, curves and report')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='change one key of the recipe, such as training.iterations=500 (may be repeated)')
    parser.add_argument('--resume', choices=('auto', 'changed', 'never'), default='auto',
                        help='auto: resume from the state in the folder if the recipe is the same (default); changed: '
                             'even if it differs; never: start over')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu', 'cuda' or 'cuda:N'")
    return parser
