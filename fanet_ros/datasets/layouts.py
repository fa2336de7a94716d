# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open a data set of any layout as its recipe describes, with labels converted to the trained classes."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Optional, Sequence

import numpy as np

from fanet_ros.datasets import UNLABELLED, DatasetError, SampleCache, Samples, load_folder, official_sets, street
from fanet_ros.datasets.changes import ignore_borders, relabel, stretch
from fanet_ros.datasets.class_sets import ClassSets
from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.image_files import read_color_labels
from fanet_ros.datasets.soft_labels import SoftLabels, relabel_with_unlabelled_classes
from fanet_ros.inference import ClassMap
from fanet_ros.package_share import class_map_file

# Layouts whose classes are known.
OWN_CLASS_MAP = {'cityscapes': official_sets.CITYSCAPES, 'coco_stuff': official_sets.COCO_STUFF, 'street': street.CLASS_MAP}


def find_class_map(name_or_path: str) -> ClassMap:
    """Load a class map of config/class_maps by name, or any by path.

    :raises SegmentationError: missing or unreadable
    """
    return ClassMap.load(class_map_path(name_or_path))


def class_map_path(name_or_path: str) -> Path:
    """File of a class map of config/class_maps, by name, or of any, by path."""
    shipped = class_map_file(name_or_path)
    return shipped if shipped.is_file() else Path(name_or_path).expanduser()


def load_dataset(config: DataConfig, class_map: ClassMap, cache: Optional[SampleCache] = None,
                 sets: Optional[ClassSets] = None) -> Samples:
    """Open a data set, with labels as indices of `class_map`; images are read on demand.

    :param cache: shared by all data sets of a training run; None: a new one
    :param sets: shared likewise, for ambiguous labels; None: reject recipes that need it
    :raises DatasetError: no usable images, or settings that do not fit the data
    """
    own_name = OWN_CLASS_MAP.get(config.layout, config.class_map)
    own = find_class_map(own_name) if own_name else class_map
    samples = _open(config, own, cache if cache is not None else SampleCache())
    if not samples:
        raise DatasetError(f'{config.path or config.layout}: only and hold_out leave no image')
    table = _label_table(own, class_map, config, config.unpenalized, sets)
    if config.stretch:
        samples = samples.changed(stretch(*config.stretch))
    if config.ignore_borders:
        samples = samples.changed(ignore_borders(config.ignore_borders))
    if config.soft_labels:
        samples = samples.changed(SoftLabels(config.soft_labels, class_map.names, config.soft_rename).change())
    if table is None:
        return samples
    if not (config.soft_labels and config.unpenalized):
        return samples.changed(relabel(table))
    plain = _label_table(own, class_map, config, (), sets)
    return samples.changed(relabel_with_unlabelled_classes(
        table, np.arange(256, dtype=np.uint8) if plain is None else plain, list(map(class_map.names.index, config.unpenalized))))


def _open(config: DataConfig, own: ClassMap, cache: SampleCache) -> Samples:
    def keep(name: str) -> bool:
        return (not config.only or name.startswith(config.only)) and not name.startswith(config.hold_out or ('\0',))

    if config.layout == 'street':
        return street.load_street(range(*config.seeds), config.frames, *config.size, keep, cache)
    if config.layout == 'cityscapes':
        return official_sets.load_cityscapes(config.path, config.split, keep, cache)
    if config.layout == 'coco_stuff':
        return official_sets.load_coco_stuff(config.path, config.split, keep, cache)
    if config.layout == 'bag':
        from fanet_ros.datasets.bag import load_bag  # here: rosbags may be missing on a GPU machine
        return load_bag(config.path, config.camera_topic, config.mask_topic, len(own), keep, cache)
    read = partial(read_color_labels, colors=own.colors) if config.labels == 'colors' else None
    return load_folder(config.path, len(own), keep=keep, read=read, images=config.images, masks=config.masks,
                       mask_suffix=config.mask_suffix, cache=cache)


def _label_table(own: ClassMap, wanted: ClassMap, config: DataConfig, unpenalized: Sequence[str],
                 sets: Optional[ClassSets]) -> Optional[np.ndarray]:
    """(256,) uint8: class of `own` -> class of `wanted` with the same name, or with those given by `rename`.

    Classes that `wanted` lacks become UNLABELLED. None if nothing changes.
    """
    for name in config.rename:
        if name not in own.names:
            raise DatasetError(f'rename: {name!r} is not a class of {own.name}: expected one of {", ".join(own.names)}')
    targets = [_names(config.rename.get(name, name)) for name in own.names]
    for key, names in [('rename', name) for name in map(_names, config.rename.values())] + [('unpenalized', unpenalized)]:
        for target in names:
            if target not in wanted.names:
                raise DatasetError(f'{key}: {target!r} is not a class of {wanted.name}: expected one of '
                                   f'{", ".join(wanted.names)}')
    if not unpenalized and targets == [(name,) for name in wanted.names]:
        return None
    table = np.full(256, UNLABELLED, np.uint8)
    for index, names in enumerate(targets):
        known = [wanted.names.index(name) for name in names if name in wanted.names]
        if known:
            table[index] = _label(known + [wanted.names.index(name) for name in unpenalized], sets)
    if (table == UNLABELLED).all():
        raise DatasetError(f'{own.name} and {wanted.name} have no class in common: map the names under rename')
    return table


def has_ambiguous_labels(config: DataConfig) -> bool:
    """Whether labels may stand for several trained classes, see ClassSets."""
    return bool(config.unpenalized) or any(len(_names(targets)) > 1 for targets in config.rename.values())


def _names(targets: str) -> tuple[str, ...]:
    """'building|wall' -> ('building', 'wall'); '' -> ()."""
    return tuple(name.strip() for name in targets.split('|') if name.strip())


def _label(classes: list[int], sets: Optional[ClassSets]) -> int:
    if len(set(classes)) == 1:
        return classes[0]
    if sets is None:
        raise DatasetError('ambiguous labels (rename to several classes, unpenalized) are for training only: they cannot be '
                           'used for evaluation')
    return sets.label(classes)
