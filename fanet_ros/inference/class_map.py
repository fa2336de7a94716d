"""Names and colours of the classes."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Union

import numpy as np
import yaml

from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.model import CheckpointMetadata


@dataclass(frozen=True)
class ClassMap:
    """Class index -> name and RGB colour. 255 marks unlabelled pixels and is drawn black."""

    name: str
    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.colors) or not 1 <= len(self.names) <= 255:
            raise SegmentationError(f'class map {self.name!r}: expected 1 to 255 classes with a colour each, got '
                                    f'{len(self.names)} names and {len(self.colors)} colours')
        if any(len(color) != 3 or not all(0 <= value <= 255 for value in color) for color in self.colors):
            raise SegmentationError(f'class map {self.name!r}: a colour is three values of 0..255')

    def __len__(self) -> int:
        return len(self.names)

    def palette(self) -> np.ndarray:
        """(256, 3) uint8 RGB, black beyond the last class."""
        palette = np.zeros((256, 3), np.uint8)
        palette[:len(self)] = self.colors
        return palette

    @classmethod
    def of_checkpoint(cls, metadata: CheckpointMetadata) -> ClassMap:
        """The class map that travels with a checkpoint."""
        return cls(metadata.class_map_name, metadata.class_names, metadata.class_colors)

    @classmethod
    def load(cls, path: Union[str, Path]) -> ClassMap:
        """Read `name: ..., classes: [{name: ..., color: [r, g, b]}, ...]` from a YAML file.

        :raises SegmentationError: missing file, not YAML, or not of that form
        """
        try:
            content = yaml.safe_load(Path(path).expanduser().read_text())
            classes = content['classes']
            return cls(str(content['name']), tuple(str(item['name']) for item in classes),
                       tuple(tuple(int(value) for value in item['color']) for item in classes))
        except OSError as error:
            raise SegmentationError(f'class map {path}: {error.strerror}') from None
        except SegmentationError as error:
            raise SegmentationError(f'class map {path}: {error}') from None
        except (yaml.YAMLError, KeyError, TypeError, ValueError):
            raise SegmentationError(f'class map {path}: expected YAML with name and classes, a list of '
                                    '{name: ..., color: [r, g, b]}') from None
