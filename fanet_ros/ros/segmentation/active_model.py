# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The model that segments, with all that belongs to it: what one frame is segmented and shown by, from end to end."""
from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Optional

from fanet_ros.inference import Segmenter, memory_in_use
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

LOG = logging.getLogger(__name__)
# Changing one of these means another network; changing no more than the size, only another engine for the same one.
SIZE_PARAMETERS = ('input_height', 'input_width', 'input_scale')
NETWORK_PARAMETERS = ('checkpoint', 'variant', 'class_map', 'device', 'engine', 'precision', 'calibration_images',
                      'num_threads', 'max_batch')


@dataclass(frozen=True)
class ActiveModel:
    """Never changed, only replaced as a whole between two frames; a frame takes it once and keeps it to its end.

    `scale` is the share of the full resolution that the latency budget allows, on each side.
    """

    segmenter: Segmenter
    settings: SegmentationSettings
    style: OutputStyle
    scale: float = 1.0


def needs_other_model(old: SegmentationSettings, new: SegmentationSettings) -> bool:
    """Whether `new` asks for another network, or another size of the present one, than `old`."""
    return _differ(old, new, SIZE_PARAMETERS + NETWORK_PARAMETERS)


def build_segmenter(settings: SegmentationSettings, scale: float = 1.0,
                    present: Optional[ActiveModel] = None, *, anew: bool = False, quick: bool = False) -> Segmenter:
    """A Segmenter for `settings`, warmed up, beside the `present` one, which goes on unchanged.

    :param scale: share of the full resolution
    :param anew: even where the present network would do at another resolution
    :param quick: see Segmenter.from_checkpoint
    :raises SegmentationError: the checkpoint, the resolution, the device or the engine cannot be used
    :raises MemoryError: there is too little
    """
    started = time.monotonic()
    scale *= settings.input_scale
    if present is not None and not anew and not _differ(present.settings, settings, NETWORK_PARAMETERS):
        LOG.info(f'building {present.segmenter.checkpoint_name} at another resolution')
        segmenter = present.segmenter.resized(settings.input_height, settings.input_width, scale, quick=quick)
        return _told(segmenter, started)
    LOG.info(f'building {settings.checkpoint}')
    segmenter = Segmenter.from_checkpoint(
        settings.checkpoint, device=settings.device, input_height=settings.input_height,
        input_width=settings.input_width, class_map=settings.class_map, variant=settings.variant,
        num_threads=settings.num_threads, engine=settings.engine, precision=settings.precision,
        calibration_images=settings.calibration_images, scale=scale, batch=settings.batch,
        frame_sizes=() if present is None else present.segmenter.frame_sizes, quick=quick)
    return _told(segmenter, started)


def _told(segmenter: Segmenter, started: float) -> Segmenter:
    """`segmenter`, of which the log is told how long it took to build and what memory the process uses with it."""
    memory = ', '.join(f'{name.replace(" [MiB]", "")} {value} MiB' for name, value in memory_in_use(segmenter.device).items())
    LOG.info(f'{segmenter.engine_description} ready after {time.monotonic() - started:.1f} s{f", {memory}" if memory else ""}')
    return segmenter


def _differ(old: SegmentationSettings, new: SegmentationSettings, names: tuple[str, ...]) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in names)
