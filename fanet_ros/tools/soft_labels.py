"""Write the soft labels that a recipe asks for: what a larger network makes of its images.

    ros2 run fanet_ros soft_labels fanet18_camvid --teacher runs/camvid34/checkpoint.safetensors

Each data set of the recipe with a key soft_labels gets that file, unless it is there. They are what the mean over several
network resolutions says, mirrored too, and so better than the teacher itself at one. The teacher may have other classes than the
recipe: soft_rename tells which is which.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Optional, Sequence

import numpy as np
import torch
from tqdm import tqdm

from fanet_ros.inference.device import choose_device
from fanet_ros.model import Checkpoint, load_checkpoint
from fanet_ros.tools.termination import exit_code_of
from fanet_ros.tools.train import find_recipe
from fanet_ros.training.class_sets import ClassSets
from fanet_ros.training.config import TrainingConfig
from fanet_ros.training.datasets import Samples
from fanet_ros.training.layouts import find_class_map, load_dataset
from fanet_ros.training.soft_labels import predict_soft_labels, write_soft_labels

MULTIPLE_PX = 32        # of the network's input


def main(argv: Optional[list[str]] = None) -> int:
    """Predict and write; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='soft_labels', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    parser.add_argument('--teacher', required=True, help='checkpoint, by shipped name or path')
    parser.add_argument('--scales', nargs='+', type=float, default=[1.0, 1.5], metavar='FACTOR',
                        help="network resolutions, of the images' (default: 1 1.5)")
    parser.add_argument('--stride', type=int, default=4, help='pixels of the image to one soft label (default: 4)')
    parser.add_argument('--device', default='auto', help="'auto', 'cpu', 'cuda' or 'cuda:N'")
    arguments = parser.parse_args(argv)
    return exit_code_of('soft_labels', lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    config = TrainingConfig.load(find_recipe(arguments.recipe), arguments.set)
    device = choose_device(arguments.device)
    network, metadata = load_checkpoint(arguments.teacher)
    teacher = Checkpoint(network.to(device), metadata)
    wanted = _wanted(config)
    if not wanted:
        raise ValueError(f'{arguments.recipe}: no data set has the key soft_labels')
    for path, parts in wanted.items():
        if path.exists():
            print(f'{path} is there')
            continue
        write_soft_labels(path, metadata.class_names, _frames(
            teacher, parts, arguments.scales, arguments.stride, device, path.name))
        print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')


def _wanted(config: TrainingConfig) -> dict[Path, list[Samples]]:
    """The data sets by their file of soft labels; several may share one."""
    class_map = find_class_map(config.class_map)
    sets = ClassSets(len(class_map))
    wanted: dict[Path, list[Samples]] = {}
    for item in config.data:
        if item.soft_labels:
            wanted.setdefault(Path(item.soft_labels).expanduser(), []).append(
                load_dataset(replace(item, soft_labels=''), class_map, sets=sets))
    return wanted


def _frames(teacher: Checkpoint, parts: Sequence[Samples], scales: Sequence[float], stride: int, device: torch.device,
            description: str) -> Iterator[tuple[str, np.ndarray]]:
    with tqdm(total=sum(map(len, parts)), desc=description, unit='frame') as bar:
        for samples in parts:
            for sample in samples:
                height, width = sample.labels.shape
                sizes = [(_to_multiple(height * scale), _to_multiple(width * scale)) for scale in scales]
                yield sample.name, predict_soft_labels(
                    teacher, sample.rgb, sizes, -(-height // stride), -(-width // stride), device)
                bar.update()


def _to_multiple(side_px: float) -> int:
    return max(round(side_px / MULTIPLE_PX), 2) * MULTIPLE_PX


if __name__ == '__main__':
    sys.exit(main())
