# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From class indices to published values: numbering of the data set, merged and filtered classes."""
from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from fanet_ros.choices import LABEL_IDS
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.segmentation import SegmentationError

UNLABELLED = 255
UNLABELLED_NAME = 'unlabelled'


@dataclass(frozen=True)
class PublishedClass:
    """A value that occurs in masks, 0..255, with its class name and RGB colour."""

    value: int
    name: str
    color: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class LabelTable:
    """`values` (256,) uint8: class index -> published value; `classes`: every value that can occur, ascending."""

    values: np.ndarray
    classes: tuple[PublishedClass, ...]

    def apply(self, labels: np.ndarray) -> np.ndarray:
        """(H, W) uint8 class indices -> (H, W) uint8 published values."""
        return labels if np.array_equal(self.values, np.arange(256)) else cv2.LUT(labels, self.values)

    def with_unlabelled(self) -> LabelTable:
        """The same table with the unlabelled value in `classes`, for masks that have unlabelled pixels for other reasons, too."""
        if any(item.value == UNLABELLED for item in self.classes):
            return self
        return replace(self, classes=(*self.classes, PublishedClass(UNLABELLED, UNLABELLED_NAME, (0, 0, 0))))

    def palette(self) -> np.ndarray:
        """(256, 3) uint8 RGB by published value, black for values without a class."""
        palette = np.zeros((256, 3), np.uint8)
        for item in self.classes:
            palette[item.value] = item.color
        return palette


def make_label_table(class_map: ClassMap, label_ids: str = 'training', class_filter: str = '',
                     class_remap: str = '') -> LabelTable:
    """Build the table of published values.

    :param label_ids: 'training': the network's class indices; 'dataset': the ids of the class map
    :param class_filter: comma-separated names of the classes to keep, as named after `class_remap`; all others become 255.
        Empty: keep all
    :param class_remap: comma-separated NAME=TARGET. TARGET is the name of the class to merge it into, the word unlabelled, or a
        value 0..254. Classes merged into a value of their own are named by their names joined with +
    :raises SegmentationError: an unknown name, a malformed entry, or ids that the class map does not have
    """
    numbers = _numbers(class_map, label_ids)
    names = dict(enumerate(class_map.names))     # class index -> name it is published under
    values = dict(enumerate(numbers))
    for source, target in _remap_entries(class_remap):
        index = _index(class_map, source, 'class_remap')
        if target == UNLABELLED_NAME:
            values[index], names[index] = UNLABELLED, UNLABELLED_NAME
        elif target.isdecimal():
            values[index] = _value(target)
        else:
            into = _index(class_map, target, 'class_remap')
            values[index], names[index] = numbers[into], target
    kept = {class_map.names[_index(class_map, name, 'class_filter')] for name in _items(class_filter)}
    for index, name in names.items():
        if kept and name not in kept:
            values[index] = UNLABELLED
    table = np.full(256, UNLABELLED, np.uint8)
    if label_ids == 'training' and not class_remap.strip() and not kept:
        table[:] = np.arange(256)
    table[list(values)] = list(values.values())
    return LabelTable(table, _classes(class_map, numbers, values, names))


def _classes(class_map: ClassMap, numbers: tuple[int, ...], values: dict[int, int],
             names: dict[int, str]) -> tuple[PublishedClass, ...]:
    classes = []
    for value in sorted(set(values.values())):
        if value == UNLABELLED:
            classes.append(PublishedClass(value, UNLABELLED_NAME, (0, 0, 0)))
            continue
        indices = [index for index in values if values[index] == value]
        owner = numbers.index(value) if value in numbers else None
        # The class that owns this number gives the name, if it or a class merged into it is present.
        if owner is not None and (owner in indices or class_map.names[owner] in (names[index] for index in indices)):
            classes.append(PublishedClass(value, class_map.names[owner], class_map.colors[owner]))
        else:
            name = '+'.join(dict.fromkeys(names[index] for index in indices))
            classes.append(PublishedClass(value, name, class_map.colors[indices[0]]))
    return tuple(classes)


def _numbers(class_map: ClassMap, label_ids: str) -> tuple[int, ...]:
    if label_ids not in LABEL_IDS:
        raise SegmentationError(f'label_ids is {label_ids!r}: expected one of {", ".join(LABEL_IDS)}')
    if label_ids == 'training':
        return tuple(range(len(class_map)))
    if class_map.ids is None:
        raise SegmentationError(f'label_ids is dataset, but class map {class_map.name} has no ids: set class_map to a '
                                'YAML file with an id for every class')
    return class_map.ids


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(',') if item.strip()]


def _remap_entries(text: str) -> list[tuple[str, str]]:
    entries = []
    for item in _items(text):
        source, equals, target = (part.strip() for part in item.partition('='))
        if not source or not equals or not target:
            raise SegmentationError(f'class_remap has {item!r}: expected NAME=TARGET')
        entries.append((source, target))
    sources = [source for source, _ in entries]
    if len(set(sources)) != len(sources):
        raise SegmentationError('class_remap names a class more than once')
    return entries


def _index(class_map: ClassMap, name: str, parameter: str) -> int:
    if name not in class_map.names:
        raise SegmentationError(f'{parameter} has {name!r}: class map {class_map.name} has only '
                                f'{", ".join(class_map.names)}')
    return class_map.names.index(name)


def _value(text: str) -> int:
    value = int(text)
    if value >= UNLABELLED:
        raise SegmentationError(f'class_remap has the value {value}: expected 0..254, or {UNLABELLED_NAME}')
    return value
