"""Train FANet by a recipe: `train RECIPE --output DIR`. The same command resumes what was interrupted.

    ros2 run fanet_ros train own_folder --output runs/mine --set data.0.path=DIR --set class_map=MAP.yaml

RECIPE is a YAML file, or the name of one in config/training.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Optional

import torch

from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.model import Checkpoint, CheckpointMetadata, FANet, load_checkpoint, save_checkpoint
from fanet_ros.package_share import share_directory
from fanet_ros.training.config import TrainingConfig, describe, difference
from fanet_ros.training.datasets import Sample
from fanet_ros.training.evaluation import evaluate
from fanet_ros.training.layouts import find_class_map, load_dataset
from fanet_ros.training.report import table, write_report
from fanet_ros.training.run_folder import RunFolder, RunFolderError
from fanet_ros.training.trainer import Trainer, TrainingError

CHECKPOINT_NAME = 'checkpoint.safetensors'


def main(argv: Optional[list[str]] = None) -> int:
    """Train, resuming what `--output` holds, and write checkpoint and report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        config = TrainingConfig.load(find_recipe(arguments.recipe), arguments.set)
        with RunFolder(arguments.output) as folder:
            _train(config, folder, arguments.device)
    except KeyboardInterrupt:
        print(f'\nstopped; the same command resumes from {arguments.output}', file=sys.stderr)
        return 130
    except (ValueError, TrainingError, RunFolderError, OSError) as error:
        print(f'train: {error}', file=sys.stderr)
        return 1
    return 0


def find_recipe(name_or_path: str) -> Path:
    """A recipe of config/training by name, or any by path."""
    shipped = share_directory() / 'config' / 'training' / f'{name_or_path}.yaml'
    return shipped if shipped.is_file() else Path(name_or_path)


def _train(config: TrainingConfig, folder: RunFolder, device: str) -> None:
    class_map = find_class_map(config.class_map)
    groups = [(load_dataset(item, class_map), item.weight) for item in config.data]
    validation = [sample for item in config.validation for sample in load_dataset(item, class_map)]
    metadata = _metadata(config, class_map, groups[0][0])
    recipe = describe(config)
    _refuse_another_recipe(folder, recipe)
    start = load_checkpoint(config.init).network if config.init else None
    trainer = Trainer(
        metadata, groups, config.augmentation, config.training, folder, device, start=start, recipe=recipe,
        validate=(lambda network: evaluate(
            _segmenter(network, metadata), validation, kept=0, quiet=True).mean_iou) if validation else None)
    if trainer.remade:
        print(f'{len(trainer.remade)} tensors begin at random: {config.init} has none of their name and shape')
    trainer.resume()
    trainer.run()
    _finish(trainer, folder, class_map, validation)


def _finish(trainer: Trainer, folder: RunFolder, class_map: ClassMap, validation: list[Sample]) -> None:
    path, measured = folder.path / CHECKPOINT_NAME, {}
    if validation:
        evaluation = evaluate(_segmenter(trainer.averaged, trainer.metadata), validation)
        measured = {'validation/mean_iou': evaluation.mean_iou, 'validation/pixel_accuracy': evaluation.pixel_accuracy}
        print(table([evaluation], class_map))
        index = write_report(folder.path / 'report', f'{trainer.metadata.variant} after {trainer.iteration} iterations',
                             class_map, [evaluation], folder.path / 'loss.png')
        print(f'report: {index}')
    save_checkpoint(path, trainer.averaged, trainer.metadata_with(measured))
    print(f'checkpoint: {path}')


def _segmenter(network: FANet, metadata: CheckpointMetadata) -> Segmenter:
    """The averaged network as the node would run it; on the CPU, with torch, since it changes all the time."""
    bare = metadata.build_network()
    bare.load_state_dict({name: value for name, value in network.state_dict().items() if name in bare.state_dict()})
    device = 'cuda' if next(network.parameters()).is_cuda else 'cpu'
    return Segmenter(Checkpoint(bare.eval(), metadata), device=device, engine='torch', precision='float32')


def _metadata(config: TrainingConfig, class_map: ClassMap, samples: list[Sample]) -> CheckpointMetadata:
    settings, view = config.training, config.augmentation
    return CheckpointMetadata(
        variant=config.variant, flavor='paper', class_map_name=class_map.name, class_names=class_map.names,
        class_colors=class_map.colors, training_resolution=samples[0].labels.shape, temporal_frames=config.temporal_frames,
        data=config.data_name, license=config.license,
        recipe=f'{settings.iterations} iterations of {settings.batch_size * settings.accumulate}, crops '
               f'{view.crop_height}x{view.crop_width}, {settings.optimizer} {settings.learning_rate:g} {settings.schedule}'
               + (f', from {config.init}' if config.init else ''))


def _refuse_another_recipe(folder: RunFolder, recipe: dict) -> None:
    state = folder.load(torch.device('cpu'))
    changed = difference(state.get('recipe') or recipe, recipe) if state is not None else None
    if changed:
        raise RunFolderError(f'{folder.path} holds a run by another recipe ({changed}): give that recipe, or another --output')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='train', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', help='YAML file, or the name of one in config/training')
    parser.add_argument('--output', type=Path, required=True, help='folder for state, checkpoint, curves and report')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='change one key of the recipe, such as training.iterations=500 (may be given several times)')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    return parser


if __name__ == '__main__':
    sys.exit(main())
