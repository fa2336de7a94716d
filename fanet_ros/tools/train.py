"""Train FANet on a folder of images and labels: `python -m fanet_ros.tools.train --data DIR`."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Optional

import torch

from fanet_ros.inference import ClassMap
from fanet_ros.model import BACKBONE_OF_VARIANT, CheckpointMetadata, save_checkpoint
from fanet_ros.package_share import share_directory
from fanet_ros.sources import SyntheticStreet
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.datasets import Sample, load_folder
from fanet_ros.training.trainer import Trainer, TrainingError, TrainingSettings

# Streets of the training set; the demo and the tests use seeds below these.
STREET_SEEDS = range(100, 200)
STREET_FRAMES = (7, 90, 173, 256)


def main(argv: Optional[list[str]] = None) -> int:
    """Train, resuming what `--output` holds, and write the checkpoint; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        class_map = ClassMap.load(arguments.class_map)
        samples = load_folder(arguments.data, len(class_map))
        groups = [(samples, 1.0 - arguments.street_share)]
        if arguments.street_share > 0:
            groups.append((_street_samples(), arguments.street_share))
        metadata = CheckpointMetadata(
            variant=arguments.variant, flavor='paper', class_map_name=class_map.name, class_names=class_map.names,
            class_colors=class_map.colors, training_resolution=samples[0].labels.shape, data=arguments.data_name,
            license=arguments.license, recipe=f'{arguments.iterations} iterations of {arguments.batch_size}, '
            f'crops {arguments.crop_height}x{arguments.crop_width}, street share {arguments.street_share:g}')
        trainer = Trainer(
            metadata, groups, Augmentation(arguments.crop_height, arguments.crop_width, scale=(0.6, 2.0)),
            TrainingSettings(iterations=arguments.iterations, batch_size=arguments.batch_size,
                             learning_rate=arguments.learning_rate, seed=arguments.seed),
            arguments.output, arguments.device)
        trainer.resume()
        trainer.run()
        save_checkpoint(arguments.output / 'checkpoint.safetensors', trainer.averaged, metadata)
    except KeyboardInterrupt:
        print(f'\nstopped; the same command resumes from {arguments.output}', file=sys.stderr)
        return 130
    except (ValueError, TrainingError, OSError) as error:
        print(f'train: {error}', file=sys.stderr)
        return 1
    print(f'checkpoint: {arguments.output / "checkpoint.safetensors"}, loss curve: {arguments.output / "loss.png"}')
    return 0


def _street_samples() -> list[Sample]:
    frames = ((seed, SyntheticStreet(seed=seed).frame(index)) for seed in STREET_SEEDS for index in STREET_FRAMES)
    return [Sample(f'street{seed}_{frame.index}', frame.rgb, frame.labels) for seed, frame in frames]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='train', description='Train FANet on a folder of images and labels.')
    parser.add_argument('--data', type=Path, required=True, help='folder with images/NAME.jpg and labels/NAME.png')
    parser.add_argument('--output', type=Path, required=True, help='folder for state, checkpoint and loss curve')
    parser.add_argument('--class-map', type=Path, default=share_directory() / 'config' / 'class_maps' / 'camvid11.yaml')
    parser.add_argument('--variant', choices=tuple(BACKBONE_OF_VARIANT), default='fanet18')
    parser.add_argument('--street-share', type=float, default=0.0,
                        help='share of the batches from the synthetic street, 0..1; needs the camvid11 classes')
    parser.add_argument('--iterations', type=int, default=4000)
    parser.add_argument('--batch-size', type=int, default=8)
    parser.add_argument('--learning-rate', type=float, default=1e-3)
    parser.add_argument('--crop-height', type=int, default=288, help='[px]')
    parser.add_argument('--crop-width', type=int, default=384, help='[px]')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--data-name', default='', help='what the checkpoint says of its data')
    parser.add_argument('--license', default='', help='what the checkpoint says of its licence')
    return parser


if __name__ == '__main__':
    sys.exit(main())
