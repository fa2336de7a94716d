# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build data, network and trainer from a recipe, and train."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional, Sequence, Union

import torch

from fanet_ros.datasets import Entry, SampleCache, Samples, fingerprints
from fanet_ros.datasets.class_counts import count_classes
from fanet_ros.datasets.class_sets import ClassSets
from fanet_ros.datasets.hold_out import split
from fanet_ros.datasets.layouts import find_class_map, has_ambiguous_labels, load_dataset
from fanet_ros.evaluation.evaluation import evaluate
from fanet_ros.inference import ClassMap
from fanet_ros.model import Checkpoint, CheckpointError, CheckpointMetadata, FANet, load_checkpoint
from fanet_ros.size_text import size_text
from fanet_ros.training import imagenet_encoder
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.config import TrainingConfig, describe, difference
from fanet_ros.training.device_batches import DeviceBatchSource
from fanet_ros.training.finish import averaged_segmenter, finish
from fanet_ros.training.imagenet_encoder import start_from_imagenet
from fanet_ros.training.initial_weights import HEAD, start_from
from fanet_ros.training.losses import LabelMeaning, balanced_class_weights
from fanet_ros.training.processes import Processes
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network

# Keys of a recipe that cannot change in a run.
FIXED = 'variant', 'flavor', 'strides', 'class_map'
BATCHES_TO_ADAPT = 4        # whose statistics an ImageNet encoder without BatchNorm is adapted to


def train(config: TrainingConfig, folder: RunFolder, device: torch.device, processes: Processes, resume: str) -> bool:
    """Train with a recipe, resuming the run in `folder` if any, and write checkpoints and report.

    Returns whether training finished, rather than being interrupted.
    """
    state = _state(config, folder, device, resume)
    start = _initial(config.init, is_resumed=state is not None)         # before the data, which take long to read
    class_map, settings = find_class_map(config.class_map), config.training
    cache = SampleCache(int(config.loader.cache_gib * 2**30))
    sets = ClassSets(len(class_map))
    groups = [Group(load_dataset(item, class_map, cache, sets), item.weight, item.final_weight) for item in config.data]
    measured = [load_dataset(item, class_map, cache) for item in config.validation]
    for samples in measured:
        samples[0]      # unreadable ones must not stop the run at its end
    validation = Samples([entry for samples in measured for entry in samples.entries], cache)
    if config.hold_out and not validation:
        total = sum(len(group.samples) for group in groups)
        groups, validation = _held_out(groups, config, cache)
        if processes.is_first:
            used = sum(len(group.samples) for group in groups)
            print(f'{used} frames to train on; {len(validation)} held out for validation, {total - used - len(validation)} between '
                  'the two left out')
    _check_processes(processes, state, groups, folder, device)
    pixels = count_classes([group.samples for group in groups], class_map.names, allow_empty=config.allow_empty_classes)
    metadata = replace(
        _metadata(config, class_map, groups[0].samples[0].labels.shape),
        training_frames=fingerprints.merged([
            fingerprints.to_text(entry for group in groups for entry in group.samples.entries),
            '' if start is None else start.metadata.training_frames]))
    weights = balanced_class_weights(torch.from_numpy(pixels), len(class_map)) if settings.class_balance else None
    meaning = LabelMeaning(sets.members() if sets else None, weights if weights is None else weights[sets.first()],
                           settings.label_smoothing)
    network = new_network(metadata, settings.seed)
    positions = processes.share(settings.batch_size)
    batches = _batches(groups, config, positions, device)
    if config.init and state is None:
        line = _begin(network, metadata, config.init, start, batches, device)
        print(line) if processes.is_first else None
    trainer = Trainer(
        network, metadata, batches, settings, folder, str(device), meaning=meaning, loader=config.loader,
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


def _check_processes(processes: Processes, state: Optional[dict[str, Any]], groups: Sequence[Group], folder: RunFolder,
                     device: torch.device) -> None:
    """:raises ValueError: the processes see different data or a different run: on machines that do not share these folders"""
    iteration = 0 if state is None else state['iteration']
    if not processes.are_equal([iteration, *(len(group.samples) for group in groups)], device):
        raise ValueError(
            f'process {processes.rank} sees {sum(len(group.samples) for group in groups)} frames, and iteration {iteration} in '
            f'{folder.path}, others something else: all machines must have the same data and share the --output folder')


def _held_out(groups: list[Group], config: TrainingConfig, cache: SampleCache) -> tuple[list[Group], Samples]:
    """Split into training groups and validation samples.

    Nothing is held out of the synthetic street, nor of data sets with ambiguous labels, by which nothing can be measured.
    """
    kept: list[Group] = []
    held: list[Entry] = []
    for group, item in zip(groups, config.data):
        if item.layout == 'street' or has_ambiguous_labels(item):
            kept.append(group)
            continue
        training, validation = split(group.samples, config.hold_out)
        kept.append(replace(group, samples=training))
        held += validation.entries
    return kept, Samples(held, cache)


def _batches(groups: list[Group], config: TrainingConfig, positions: range, device: torch.device,
             ) -> Union[BatchSource, DeviceBatchSource]:
    """Source of training batches: augmented on the device if the loader's setting allows, else on the CPU."""
    on_device = config.loader.on_device
    if on_device == 'always' or (on_device == 'auto' and device.type == 'cuda' and config.temporal_frames == 1):
        return DeviceBatchSource(groups, config.augmentation, positions, config.training.seed, device)
    return BatchSource(groups, config.augmentation, positions, config.training.seed, config.temporal_frames)


def _initial(init: str, *, is_resumed: bool) -> Optional[Checkpoint]:
    """The checkpoint that a recipe starts from, if any; None also if it is gone when a run is resumed, which needs it no more."""
    if init in ('', imagenet_encoder.NAME):
        return None
    try:
        return load_checkpoint(init)
    except CheckpointError:
        if is_resumed:
            return None
        raise


def _begin(network: FANet, metadata: CheckpointMetadata, init: str, start: Optional[Checkpoint],
           batches: Union[BatchSource, DeviceBatchSource], device: torch.device) -> str:
    """Load the initial weights that the recipe names into `network`; returns a line that says what starts at random."""
    if start is not None:
        return start_from(network, metadata, start, init)
    frames = torch.cat([batches.batch(number).to(device).rgb[-1].cpu() for number in range(BATCHES_TO_ADAPT)])
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) * 255 for values in (metadata.mean, metadata.std))
    return start_from_imagenet(network, (frames.permute(0, 3, 1, 2) - mean) / std)


def _state(config: TrainingConfig, folder: RunFolder, device: torch.device, resume: str) -> Optional[dict[str, Any]]:
    """State of an earlier run in the folder, if `resume` allows using it.

    :raises ValueError: the run is of another recipe, or cannot go on with this one
    """
    state = None if resume == 'never' else folder.load(device)
    changed = difference(state['recipe'], config) if state is not None and state.get('recipe') else None
    if changed and resume != 'changed':
        raise ValueError(f'{folder.path} contains a run of another recipe ({changed}): give that recipe, another --output, '
                         'or --resume changed')
    if state is not None:
        _check_fit(config, folder, state)
    return state


def _check_fit(config: TrainingConfig, folder: RunFolder, state: dict[str, Any]) -> None:
    """:raises ValueError: the state cannot be that of this recipe's network and optimiser"""
    recipe, now = state.get('recipe'), describe(config)
    pairs = [(key, recipe.get(key, now[key]), now[key]) for key in FIXED] if recipe else []
    pairs += [('training.optimizer', recipe['training']['optimizer'], now['training']['optimizer'])] if recipe else []
    pairs.append(('number of classes', len(state['network'][HEAD]), len(find_class_map(config.class_map))))
    for key, old, new in pairs:
        if old != new:
            raise ValueError(f'{folder.path} contains a run whose {key} is {old}, now it is {new}: its state does not fit; '
                             'give another --output, or --resume never')


def _metadata(config: TrainingConfig, class_map: ClassMap, size: tuple[int, ...]) -> CheckpointMetadata:
    settings, view = config.training, config.augmentation
    length = f'{settings.minutes:g} minutes' if settings.minutes else f'{settings.iterations} iterations'
    recipe = (f'{length} of {settings.batch_size * settings.accumulate} views at a time, '
              f'{size_text(view.crop_height, view.crop_width)}, '
              f'{settings.optimizer} {settings.learning_rate:g} {settings.schedule}')
    return CheckpointMetadata(
        variant=config.variant, flavor=config.flavor, strides=config.strides,
        class_map_name=class_map.name, class_names=class_map.names, class_colors=class_map.colors,
        training_resolution=(size[0], size[1]), temporal_frames=config.temporal_frames,
        data=config.data_name, license=config.license, recipe=recipe + (f', from {config.init}' if config.init else ''))
