# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names and colours of the classes."""
from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union, cast

import numpy as np
import yaml

from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.package_share import class_map_file

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.model import CheckpointMetadata

NOT_IN_NAMES = ('Cc', 'Cs', 'Zl', 'Zp')     # categories of Unicode: control characters, half characters, line and paragraph breaks


@dataclass(frozen=True)
class ClassMap:
    """Class index -> name and RGB colour. 255 marks unlabelled pixels and is drawn black.

    `ids`, if known, are the data set's own numbers for these classes, 0..254.

    :raises SegmentationError: not 1 to 255 classes, a name that is not one line of text, invalid colours or ids
    """

    name: str
    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]
    ids: Optional[tuple[int, ...]] = None

    def __post_init__(self) -> None:
        if len(self.names) != len(self.colors) or not 1 <= len(self.names) <= 255:
            raise SegmentationError(f'class map {self.name!r}: expected 1 to 255 classes, each with a colour, got '
                                    f'{len(self.names)} names and {len(self.colors)} colours')
        for name in (self.name, *self.names):
            if any(unicodedata.category(letter) in NOT_IN_NAMES for letter in name):
                raise SegmentationError(f'class map {self.name!r}: expected names without line breaks and other control '
                                        f'characters, got {name!r}')
        if any(len(color) != 3 or not all(0 <= value <= 255 for value in color) for color in self.colors):
            raise SegmentationError(f'class map {self.name!r}: expected each colour as three values of 0..255')
        if self.ids is not None and (len(set(self.ids)) != len(self.ids) or len(self.ids) != len(self.names)
                                     or not all(0 <= value <= 254 for value in self.ids)):
            raise SegmentationError(f'class map {self.name!r}: expected a unique id of 0..254 for every class')

    def __len__(self) -> int:
        return len(self.names)

    def palette(self) -> np.ndarray:
        """(256, 3) uint8 RGB, black beyond the last class."""
        palette = np.zeros((256, 3), np.uint8)
        palette[:len(self)] = self.colors
        return palette

    @classmethod
    def of_checkpoint(cls, metadata: CheckpointMetadata) -> ClassMap:
        """The class map stored in a checkpoint, with the ids of the shipped class map if that has the same name and classes."""
        path = class_map_file(metadata.class_map_name)
        shipped = cls.load(path) if path.is_file() else None
        ids = shipped.ids if shipped is not None and shipped.names == metadata.class_names else None
        return cls(metadata.class_map_name, metadata.class_names, metadata.class_colors, ids)

    @classmethod
    def load(cls, path: Union[str, Path]) -> ClassMap:
        """Read `name: ..., classes: [{name: ..., color: [r, g, b], id: ...}, ...]` from a YAML file; ids are optional.

        :raises SegmentationError: missing file, invalid YAML or wrong structure
        """
        try:
            content = yaml.safe_load(Path(path).expanduser().read_text('utf-8'))
            classes = content['classes']
            return cls(str(content['name']), tuple(str(item['name']) for item in classes),
                       tuple(cast('tuple[int, int, int]', tuple(int(value) for value in item['color'])) for item in classes),
                       _ids(classes))
        except OSError as error:
            raise SegmentationError(f'class map {path}: {error.strerror}') from None
        except SegmentationError as error:
            raise SegmentationError(f'class map {path}: {error}') from None
        except (yaml.YAMLError, KeyError, TypeError, ValueError):
            raise SegmentationError(f'class map {path}: expected YAML with name and classes, a list of '
                                    '{name: ..., color: [r, g, b]}') from None

    def to_yaml(self) -> str:
        """YAML text in the format that load() reads."""
        ids = self.ids or (None,) * len(self)
        classes = [{'name': name, 'color': list(color), **({} if number is None else {'id': number})}
                   for name, color, number in zip(self.names, self.colors, ids)]
        return yaml.safe_dump({'name': self.name, 'classes': classes}, sort_keys=False, default_flow_style=None)


def _ids(classes: list[dict[str, Any]]) -> Optional[tuple[int, ...]]:
    """The ids of all classes, or None if the file gives no ids."""
    without = [str(item['name']) for item in classes if 'id' not in item]
    if without and len(without) < len(classes):
        raise SegmentationError(f'{without[0]!r} has no id, but other classes have: expected one for every class, or for none')
    return None if without else tuple(int(item['id']) for item in classes)
