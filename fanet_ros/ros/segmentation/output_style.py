# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a segmentation is published: values, sizes and colours, from the node's settings and the active class map."""
from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Optional

from fanet_ros.inference import (
    ClassMap,
    LabelTable,
    OverlayColors,
    Segmentation,
    SegmentationError,
    make_label_table,
    with_contrast,
)
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.size_text import read_size

MAX_OUTPUT_PX = 8192


@dataclass(frozen=True)
class OutputStyle:
    """Immutable and passed along with each frame, so that changes take effect between frames.

    `class_map` is that of the network that segments the frame; the other fields are the node parameters of the same names.
    `table` maps each class to its published value. `overlay_colors` lets a segmenter draw the overlay on the GPU; None with
    min_confidence, which is applied after segmentation.

    :raises SegmentationError: a parameter is invalid or does not match the class map
    """

    class_map: ClassMap
    overlay_alpha: float = 0.5
    overlay_jpeg_quality: int = 80
    output_size: str = 'input'
    label_ids: str = 'training'
    class_filter: str = ''
    class_remap: str = ''
    min_confidence: float = 0.0
    colors: str = 'class_map'
    overlay_legend: bool = False
    mask_png: str = 'grey'
    table: LabelTable = field(init=False, repr=False, compare=False)
    overlay_colors: Optional[OverlayColors] = field(init=False, repr=False, compare=False)
    _fixed_size: Optional[tuple[int, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shown = with_contrast(self.class_map) if self.colors == 'contrast' else self.class_map
        table = make_label_table(shown, self.label_ids, self.class_filter, self.class_remap)
        object.__setattr__(self, 'table', table.with_unlabelled() if self.min_confidence else table)
        object.__setattr__(self, 'overlay_colors', None if self.min_confidence else OverlayColors(
            table.palette()[table.values], self.overlay_alpha))
        object.__setattr__(self, '_fixed_size', _fixed_size(self.output_size))

    @classmethod
    def of(cls, class_map: ClassMap, settings: SegmentationSettings) -> OutputStyle:
        """The style for the node's `settings`."""
        return cls(class_map, settings.overlay_alpha, settings.overlay_jpeg_quality, settings.output_size,
                   settings.label_ids, settings.class_filter, settings.class_remap, settings.min_confidence, settings.colors,
                   settings.overlay_legend, settings.mask_png)

    def mask_size(self, segmentation: Segmentation) -> tuple[int, int]:
        """Height and width of the mask in px."""
        if self._fixed_size is not None:
            return self._fixed_size
        if self.output_size == 'network':
            return segmentation.input_height, segmentation.input_width
        height, width = segmentation.labels.shape
        return height, width


def _fixed_size(text: str) -> Optional[tuple[int, int]]:
    """Height and width of 'WIDTHxHEIGHT', None for 'input' and 'network'."""
    if text in ('input', 'network'):
        return None
    with suppress(ValueError):
        size = read_size(text)
        if max(size) <= MAX_OUTPUT_PX:
            return size
    raise SegmentationError(f'output_size is {text!r}: expected input, network, or WIDTHxHEIGHT such as 320x240, '
                            f'1..{MAX_OUTPUT_PX} px each')
