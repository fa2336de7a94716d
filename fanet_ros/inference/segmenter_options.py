# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of a Segmenter, apart from the checkpoint."""
from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

from fanet_ros.choices import ENGINES, PRECISIONS, VARIANTS
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.input_size import MAX_INPUT_PX, Size
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.model import MIN_INPUT_PX

if TYPE_CHECKING:       # it needs torch
    from fanet_ros.model import CheckpointMetadata

DEVICE = re.compile(r'auto|cpu|cuda(:\d+)?')


@dataclass(frozen=True)
class SegmenterOptions:
    """How to run a checkpoint.

    :param device: 'auto', 'cpu', 'cuda' or 'cuda:N'
    :param engine: one of fanet_ros.choices.ENGINES; 'auto': the fastest on the device, measured once per machine
    :param precision: 'float32', 'bfloat16', 'float16', 'int8', or 'auto': float16 on CUDA; on the CPU float32 or, with
        `calibration_images`, int8 where it is faster and gives those frames the same labels
    :param input_height: network resolution in px, 64..8192; 0: from the frame's aspect ratio, at the checkpoint's number of
        pixels if `input_width` is 0 too, see InputSize
    :param input_width: likewise
    :param scale: factor on both sides of that resolution, which are then rounded to multiples of SCALE_STEP_PX
    :param class_map: names and colours that replace the checkpoint's, for as many classes; None or '': the checkpoint's
    :param variant: 'auto', or the variant that the checkpoint must have
    :param num_threads: CPU threads of torch in this process, including the network; 0: torch's choice or, if some
        of the cores are much slower (Arm's big.LITTLE), the number of the others
    :param calibration_images: folder of frames from the user's own camera, for int8; None or '': none
    :param batch: largest number of frames that segment_batch() runs at once; more than 1 takes memory for each batch size. A
        video network always takes one
    :param frame_sizes: (height, width) of frames to be ready for; empty: frames with the checkpoint's aspect ratio
    :param quick: with engine 'auto', start with an engine that is ready at once if the fastest is not known or not converted
        yet; see Segmenter.is_provisional
    :raises SegmentationError: a value that is invalid for every checkpoint and machine
    """

    device: str = 'auto'
    engine: str = 'auto'
    precision: str = 'auto'
    input_height: int = 0
    input_width: int = 0
    scale: float = 1.0
    class_map: Union[str, Path, ClassMap, None] = None
    variant: str = 'auto'
    num_threads: int = 0
    calibration_images: Union[str, Path, None] = None
    batch: int = 1
    frame_sizes: Sequence[Size] = ()
    quick: bool = False

    def __post_init__(self) -> None:
        if not DEVICE.fullmatch(self.device):
            raise SegmentationError(f"device {self.device!r} is unknown: expected 'auto', 'cpu', 'cuda' or 'cuda:N'")
        for name, known in (('engine', ENGINES), ('precision', PRECISIONS), ('variant', ('auto', *VARIANTS))):
            if getattr(self, name) not in known:
                raise SegmentationError(f'{name} {getattr(self, name)!r} is unknown: expected one of {", ".join(known)}')
        for name in ('input_height', 'input_width'):
            if getattr(self, name) and not MIN_INPUT_PX <= getattr(self, name) <= MAX_INPUT_PX:
                raise SegmentationError(f'{name} is {getattr(self, name)} px: expected {MIN_INPUT_PX}..{MAX_INPUT_PX}, or 0 for '
                                        "the frame's shape")
        for name, is_right, expected in (
                ('scale', 0 < self.scale < math.inf, 'a number above 0'), ('batch', self.batch >= 1, '1 or more'),
                ('num_threads', self.num_threads >= 0, "1 or more, or 0 for torch's choice")):
            if not is_right:
                raise SegmentationError(f'{name} is {getattr(self, name)}: expected {expected}')
        for size in self.frame_sizes:
            if len(size) != 2 or min(size) < 1:
                raise SegmentationError(f'frame_sizes has {size}: expected height and width in px')

    @classmethod
    def taken_from(cls, source: object, **more: Any) -> SegmenterOptions:
        """Options from the attributes of the same names of `source`, such as parsed command-line arguments.

        :param more: options to add or override
        :raises TypeError: there is no such option
        """
        values = {item.name: getattr(source, item.name) for item in fields(cls) if hasattr(source, item.name)}
        return cls().changed(**{**values, **more})

    def changed(self, **changes: Any) -> SegmenterOptions:
        """A copy with some options replaced.

        :raises TypeError: there is no such option
        """
        known = [item.name for item in fields(self)]
        unknown = [name for name in changes if name not in known]
        if unknown:
            raise TypeError(f'a Segmenter has no option {", ".join(unknown)}: expected some of {", ".join(known)}')
        return replace(self, **changes) if changes else self

    def at_size_of(self, other: SegmenterOptions) -> SegmenterOptions:
        """A copy with those options of `other` that need only another engine of the same network: sizes, scale and `quick`."""
        return replace(self, input_height=other.input_height, input_width=other.input_width, scale=other.scale,
                       frame_sizes=other.frame_sizes, quick=other.quick)

    @property
    def calibration_folder(self) -> Optional[Path]:
        """`calibration_images` as a path; None if not set."""
        return Path(self.calibration_images).expanduser() if self.calibration_images else None

    def class_map_for(self, name: str, metadata: CheckpointMetadata) -> ClassMap:
        """The class map to use with the checkpoint `name`.

        :raises SegmentationError: the checkpoint is another variant or has another number of classes, or the class map cannot
            be read
        """
        if self.variant not in ('auto', metadata.variant):
            raise SegmentationError(f'checkpoint {name} is a {metadata.variant}, but variant is {self.variant}: set variant '
                                    f"to 'auto' or choose a {self.variant} checkpoint")
        if isinstance(self.class_map, ClassMap):
            class_map = self.class_map
        else:
            class_map = ClassMap.load(self.class_map) if self.class_map else ClassMap.of_checkpoint(metadata)
        if len(class_map) != metadata.num_classes:
            raise SegmentationError(f'checkpoint {name} has {metadata.num_classes} classes, class map {class_map.name} has '
                                    f'{len(class_map)}: they must be equal')
        return class_map
