"""Puts together what a recipe asks for, and trains."""
from __future__ import annotations

from typing import Any, Optional

import torch

from fanet_ros.inference import ClassMap
from fanet_ros.model import CheckpointMetadata, load_checkpoint
from fanet_ros.training.batches import BatchSource
from fanet_ros.training.class_counts import count_classes
from fanet_ros.training.config import TrainingConfig, describe, difference
from fanet_ros.training.datasets import SampleCache, Samples
from fanet_ros.training.evaluation import evaluate
from fanet_ros.training.finish import averaged_segmenter, finish
from fanet_ros.training.initial_weights import start_from
from fanet_ros.training.layouts import find_class_map, load_dataset
from fanet_ros.training.losses import balanced_class_weights
from fanet_ros.training.processes import Processes
from fanet_ros.training.run_folder import RunFolder, RunFolderError
from fanet_ros.training.trainer import Trainer, new_network


def train(config: TrainingConfig, folder: RunFolder, device: torch.device, processes: Processes, resume: str) -> bool:
    """Train by a recipe, from where `folder` is, and write checkpoints and report; whether it came to the end."""
    state = _state(config, folder, device, resume)
    class_map, settings = find_class_map(config.class_map), config.training
    cache = SampleCache(int(config.loader.cache_gib * 2**30))
    groups = [(load_dataset(item, class_map, cache), item.weight) for item in config.data]
    validation = Samples(
        [entry for item in config.validation for entry in load_dataset(item, class_map, cache).entries], cache)
    pixels = count_classes([samples for samples, _ in groups], class_map.names, allow_empty=config.allow_empty_classes)
    metadata = _metadata(config, class_map, groups[0][0][0].labels.shape)
    weights = balanced_class_weights(torch.from_numpy(pixels), len(class_map)) if settings.class_balance else None
    network = new_network(metadata, settings.seed)
    if config.init and state is None:
        line = start_from(network, metadata, load_checkpoint(config.init), config.init)
        print(line) if processes.is_first else None
    positions = processes.share(settings.batch_size)
    batches = BatchSource(groups, config.augmentation, positions, settings.seed, config.temporal_frames)
    trainer = Trainer(
        network, metadata, batches, settings, folder, str(device), class_weights=weights, loader=config.loader,
        recipe=describe(config), processes=processes,
        validate=(lambda averaged: evaluate(
            averaged_segmenter(averaged, metadata), validation, kept=0, quiet=True).mean_iou) if validation else None)
    if state is not None:
        trainer.resume(state)
    if not trainer.run():
        return False
    if processes.is_first:
        finish(trainer, folder, class_map, validation, config)
    return True


def _state(config: TrainingConfig, folder: RunFolder, device: torch.device, resume: str) -> Optional[dict[str, Any]]:
    """What the folder holds of an earlier run, as far as `resume` wants it.

    :raises RunFolderError: it is of another recipe
    """
    state = None if resume == 'never' else folder.load(device)
    changed = difference(state['recipe'], config) if state is not None and state.get('recipe') else None
    if changed and resume != 'changed':
        raise RunFolderError(f'{folder.path} holds a run by another recipe ({changed}): give that recipe, another --output, '
                             'or --resume changed')
    return state


def _metadata(config: TrainingConfig, class_map: ClassMap, size: tuple[int, ...]) -> CheckpointMetadata:
    settings, view = config.training, config.augmentation
    return CheckpointMetadata(
        variant=config.variant, flavor=config.flavor, strides=config.strides,
        class_map_name=class_map.name, class_names=class_map.names, class_colors=class_map.colors,
        training_resolution=(size[0], size[1]), temporal_frames=config.temporal_frames,
        data=config.data_name, license=config.license,
        recipe=f'{settings.iterations} iterations of {settings.batch_size * settings.accumulate}, crops '
               f'{view.crop_height}x{view.crop_width}, {settings.optimizer} {settings.learning_rate:g} '
               f'{settings.schedule}'
               + (f', from {config.init}' if config.init else ''))
