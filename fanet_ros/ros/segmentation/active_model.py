# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model in use with its settings and output style: everything that determines the outputs of a frame."""
from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Optional, TypeVar, Union

from fanet_ros import inference
from fanet_ros.inference import SegmenterOptions, memory_in_use
from fanet_ros.inference.first_answer import remember
from fanet_ros.inference.first_segmenter import FirstSegmenter
from fanet_ros.ros.common.engine_text import STANDS_IN
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

if TYPE_CHECKING:       # it needs torch, which the node loads last
    from fanet_ros.inference import Segmenter

AnySegmenter = Union['Segmenter', FirstSegmenter]
BuiltSegmenter = TypeVar('BuiltSegmenter', bound=AnySegmenter)
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ActiveModel:
    """Immutable: replaced as a whole between frames, so that each frame uses one version from start to end.

    `scale` is the factor on height and width that the latency budget currently allows, in (0, 1].
    """

    segmenter: AnySegmenter
    settings: SegmentationSettings
    style: OutputStyle
    scale: float = 1.0

    def describe(self) -> dict[str, str]:
        """Model, device, engine, resolution and memory in use, for diagnostics."""
        segmenter = self.segmenter
        return {
            'model': segmenter.checkpoint_name, 'variant': segmenter.variant, 'device': str(segmenter.device),
            'engine': segmenter.engine_description + (STANDS_IN if segmenter.is_provisional else ''),
            'resolution [px]': ', '.join(f'{width}x{height}' for height, width in segmenter.input_sizes),
            'resolution scale': f'{self.scale:g}', **memory_in_use(segmenter.device)}


def options_of(settings: SegmentationSettings) -> SegmenterOptions:
    """Segmenter options for `settings`, at full resolution.

    :raises SegmentationError: a value that is invalid for any checkpoint and machine
    """
    return SegmenterOptions.taken_from(settings, scale=settings.input_scale)


def needs_other_model(old: SegmentationSettings, new: SegmentationSettings) -> bool:
    """Whether going from `old` to `new` requires a new Segmenter: another network, or another input size."""
    return (old.checkpoint, options_of(old)) != (new.checkpoint, options_of(new))


def build_segmenter(settings: SegmentationSettings, scale: float = 1.0,
                    present: Optional[ActiveModel] = None, *, quick: bool = False) -> Segmenter:
    """Build and warm up a Segmenter for `settings`, while `present` stays in use unchanged.

    :param scale: factor on the full resolution, height and width
    :param present: the model in use; its network is reused if only the resolution differs
    :param quick: see SegmenterOptions
    :raises SegmentationError: the checkpoint, the resolution, the device or the engine cannot be used
    :raises MemoryError: not enough memory
    """
    started = time.monotonic()
    options = replace(options_of(settings), scale=scale * settings.input_scale, quick=quick)
    if present is not None and not isinstance(present.segmenter, FirstSegmenter) \
            and _is_same_network(present.settings, settings):
        LOG.info(f'building an engine for {present.segmenter.checkpoint_name}')
        return _logged(present.segmenter.resized(options.input_height, options.input_width, options.scale, quick=quick), started)
    LOG.info(f'building {settings.checkpoint}')
    if present is not None:
        options = replace(options, frame_sizes=present.segmenter.frame_sizes)
    segmenter = inference.Segmenter.from_checkpoint(settings.checkpoint, options)
    remember_segmenter(settings, segmenter)
    return _logged(segmenter, started)


def remember_segmenter(settings: SegmentationSettings, segmenter: Segmenter) -> None:
    """Let the next start with `settings` answer first with what `segmenter` was made from."""
    if not segmenter.is_provisional:
        with suppress(OSError):         # such as a full disk, which only makes the next start slower
            remember(settings.checkpoint, segmenter)


def first_segmenter(settings: SegmentationSettings) -> Optional[FirstSegmenter]:
    """A segmenter for the first frames that is ready before torch is even loaded; None unless an earlier start left one behind.

    :raises SegmentationError: a value that is invalid for any checkpoint and machine
    """
    started = time.monotonic()
    segmenter = FirstSegmenter.recalled(settings.checkpoint, options_of(settings))
    return None if segmenter is None else _logged(segmenter, started)


def _logged(segmenter: BuiltSegmenter, started: float) -> BuiltSegmenter:
    """`segmenter`; logs how long it took to build and how much memory the process now uses."""
    memory = ', '.join(f'{name.replace(" [MiB]", "")} {value} MiB' for name, value in memory_in_use(segmenter.device).items())
    LOG.info(f'{segmenter.engine_description} ready after {time.monotonic() - started:.1f} s{f", {memory}" if memory else ""}')
    return segmenter


def _is_same_network(old: SegmentationSettings, new: SegmentationSettings) -> bool:
    """Whether they differ at most in input size, so that a new engine for the same network is enough."""
    return (old.checkpoint, options_of(old).at_size_of(options_of(new))) == (new.checkpoint, options_of(new))
