# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model that segments, with all that belongs to it: what one frame is segmented and shown by, from end to end."""
from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import Optional

from fanet_ros.inference import Segmenter, SegmenterOptions, memory_in_use
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ActiveModel:
    """Never changed, only replaced as a whole between two frames; a frame takes it once and keeps it to its end.

    `scale` is the share of the full resolution that the latency budget allows, on each side.
    """

    segmenter: Segmenter
    settings: SegmentationSettings
    style: OutputStyle
    scale: float = 1.0


def options_of(settings: SegmentationSettings) -> SegmenterOptions:
    """How the parameters ask for `checkpoint` to be run, at the full resolution.

    :raises SegmentationError: a value that no checkpoint and no machine allows
    """
    return SegmenterOptions.taken_from(settings, scale=settings.input_scale)


def needs_other_model(old: SegmentationSettings, new: SegmentationSettings) -> bool:
    """Whether `new` asks for another network, or another size of the present one, than `old`."""
    return (old.checkpoint, options_of(old)) != (new.checkpoint, options_of(new))


def build_segmenter(settings: SegmentationSettings, scale: float = 1.0,
                    present: Optional[ActiveModel] = None, *, anew: bool = False, quick: bool = False) -> Segmenter:
    """A Segmenter for `settings`, warmed up, beside the `present` one, which goes on unchanged.

    :param scale: share of the full resolution
    :param anew: even where the present network would do at another resolution
    :param quick: see SegmenterOptions
    :raises SegmentationError: the checkpoint, the resolution, the device or the engine cannot be used
    :raises MemoryError: there is too little
    """
    started = time.monotonic()
    options = replace(options_of(settings), scale=scale * settings.input_scale, quick=quick)
    if present is not None and not anew and _is_same_network(present.settings, settings):
        LOG.info(f'building {present.segmenter.checkpoint_name} at another resolution')
        return _told(present.segmenter.resized(options.input_height, options.input_width, options.scale, quick=quick), started)
    LOG.info(f'building {settings.checkpoint}')
    if present is not None:
        options = replace(options, frame_sizes=present.segmenter.frame_sizes)
    return _told(Segmenter.from_checkpoint(settings.checkpoint, options), started)


def _told(segmenter: Segmenter, started: float) -> Segmenter:
    """`segmenter`, of which the log is told how long it took to build and what memory the process uses with it."""
    memory = ', '.join(f'{name.replace(" [MiB]", "")} {value} MiB' for name, value in memory_in_use(segmenter.device).items())
    LOG.info(f'{segmenter.engine_description} ready after {time.monotonic() - started:.1f} s{f", {memory}" if memory else ""}')
    return segmenter


def _is_same_network(old: SegmentationSettings, new: SegmentationSettings) -> bool:
    """Whether they differ in the size at most, for which another engine of the same network will do."""
    return (old.checkpoint, options_of(old).at_size_of(options_of(new))) == (new.checkpoint, options_of(new))
