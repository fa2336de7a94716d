"""Data sets by their layout on disk, all brought to the classes that are trained."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from fanet_ros.inference import ClassMap
from fanet_ros.package_share import share_directory
from fanet_ros.sources import SyntheticStreet
from fanet_ros.training.config import DataConfig
from fanet_ros.training.datasets import (
    UNLABELLED, DatasetError, Sample, load_folder, read_color_labels, read_image, read_labels)

# labelIds of Cityscapes -> its 19 training ids (cityscapesscripts, labels.py); every other id is not labelled.
CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


def find_class_map(name_or_path: str) -> ClassMap:
    """A class map of config/class_maps by name, or any by path.

    :raises SegmentationError: there is none, or it cannot be read
    """
    shipped = share_directory() / 'config' / 'class_maps' / f'{name_or_path}.yaml'
    return ClassMap.load(shipped if shipped.is_file() else name_or_path)


def load_dataset(config: DataConfig, class_map: ClassMap) -> list[Sample]:
    """All samples of a data set, with labels as `class_map` numbers them.

    :raises DatasetError: nothing there, or something that cannot be used
    """
    if config.layout == 'street':
        own, samples = find_class_map('camvid11'), _street(config)
    elif config.layout == 'cityscapes':
        own, samples = find_class_map('cityscapes19'), _cityscapes(config)
    else:
        own = find_class_map(config.class_map) if config.class_map else class_map
        samples = _folder(config, own)
    if not samples:
        raise DatasetError(f'{config.path or config.layout}: only and hold_out leave no image')
    return _renumber(samples, own, class_map, config)


def _wanted(config: DataConfig, name: str) -> bool:
    return (not config.only or name.startswith(config.only)) and not name.startswith(config.hold_out or ('\0',))


def _folder(config: DataConfig, own: ClassMap) -> list[Sample]:
    def read(path: Path) -> np.ndarray:
        return read_color_labels(path, own.colors) if config.labels == 'colors' else read_labels(path, len(own))
    return load_folder(config.path, len(own), keep=lambda name: _wanted(config, name), read=read)


def _cityscapes(config: DataConfig) -> list[Sample]:
    root = Path(config.path).expanduser()
    table = np.full(256, UNLABELLED, np.uint8)
    table[list(CITYSCAPES_IDS)] = np.arange(len(CITYSCAPES_IDS))
    paths = sorted((root / 'leftImg8bit' / config.split).glob('*/*_leftImg8bit.png'))
    if not paths:
        raise DatasetError(f'no images in {root / "leftImg8bit" / config.split}: expected CITY/NAME_leftImg8bit.png')
    samples = []
    for path in paths:
        name = path.name[:-len('_leftImg8bit.png')]
        if _wanted(config, name):
            labels = root / 'gtFine' / config.split / path.parent.name / f'{name}_gtFine_labelIds.png'
            samples.append(Sample(name, read_image(path), table[read_labels(labels, 256)]))
    return samples


def _street(config: DataConfig) -> list[Sample]:
    height, width = config.size
    samples = []
    for seed in range(*config.seeds):
        street = SyntheticStreet(width, height, seed)
        for frame in (street.frame(index) for index in config.frames):
            samples.append(Sample(f'street{seed}_{frame.index}', frame.rgb, frame.labels))
    return samples


def _renumber(samples: list[Sample], own: ClassMap, wanted: ClassMap, config: DataConfig) -> list[Sample]:
    """Labels by name from `own` to `wanted`; classes that `wanted` lacks become unlabelled."""
    for name, target in config.rename.items():
        if name not in own.names:
            raise DatasetError(f'rename: {name!r} is no class of {own.name}: expected one of {", ".join(own.names)}')
        if target and target not in wanted.names:
            raise DatasetError(f'rename: {target!r} is no class of {wanted.name}: expected one of {", ".join(wanted.names)}')
    targets = [config.rename.get(name, name) for name in own.names]
    if targets == list(wanted.names):
        return samples
    table = np.full(256, UNLABELLED, np.uint8)
    for index, target in enumerate(targets):
        if target in wanted.names:
            table[index] = wanted.names.index(target)
    if (table == UNLABELLED).all():
        raise DatasetError(f'no class of {own.name} is one of {wanted.name}: name the pairs under rename')
    return [Sample(sample.name, sample.rgb, table[sample.labels]) for sample in samples]
