# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Speed check of doctor: which rate to expect at which resolution."""
from __future__ import annotations

import time
from typing import Iterator, Optional

import numpy as np
from tqdm import tqdm

from fanet_ros.error_text import error_text
from fanet_ros.inference import SegmentationError, Segmenter
from fanet_ros.inference.device import choose_device, lower_precisions
from fanet_ros.inference.input_size import InputSize
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding
from fanet_ros.ros.segmentation.active_model import build_segmenter
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.size_text import size_text

WARM_UP_FRAMES = 3
FRAMES = 15
SLOWEST_HZ = 5.0        # required if no camera rate is known


def check_speed(settings: SegmentationSettings, rgb: np.ndarray, rate_hz: Optional[float]) -> Iterator[Finding]:
    """Time the Segmenter at each resolution of `resolution_ladder`, once.

    :param rgb: camera frame, or a similar one, (H, W, 3) uint8
    :param rate_hz: total rate of all cameras; None: unknown, SLOWEST_HZ is required
    """
    steps: list[tuple[str, str, float, bool]] = []
    keeping_up: Optional[tuple[int, int]] = None
    segmenter: Optional[Segmenter] = None
    for scale in tqdm(settings.resolution_ladder, desc='speed', unit='resolution', leave=False, disable=None):
        try:
            if segmenter is None:
                segmenter = build_segmenter(settings)
            input_size = InputSize(settings.input_height, settings.input_width, segmenter.metadata.training_resolution,
                                   scale * settings.input_scale)
            height, width = input_size.of(*rgb.shape[:2])
            size = size_text(height, width)
            if size in (step[0] for step in steps):     # the smallest possible again
                continue
            if steps:
                segmenter = segmenter.resized(input_size.height, input_size.width, input_size.scale)
        except (SegmentationError, MemoryError) as error:
            yield Finding('speed', ERROR, error_text(error), 'change engine, precision, device or resolution')
            return
        period_s = _median_s(segmenter, rgb)
        keeps_up = period_s * (rate_hz or SLOWEST_HZ) < 1
        steps.append((size, segmenter.engine_description, period_s, keeps_up))
        if keeps_up and keeping_up is None:
            keeping_up = height, width
    for number, (size, engine, period_s, keeps_up) in enumerate(steps):
        is_chosen = number == 0
        remedy = ''
        if is_chosen and not keeps_up:
            budget_ms = 1e3 / (rate_hz or SLOWEST_HZ)
            unscaled = '' if settings.input_scale == 1.0 else ', input_scale 1.0'
            remedy = (f'with input_height {keeping_up[0]}, input_width {keeping_up[1]}{unscaled} it keeps up; or set '
                      f'latency_budget_ms to {budget_ms:.0f}'
                      if keeping_up else f'set precision to {_lower_precision(settings)}, install a faster engine, or slow the '
                                         'camera down')
        camera = '' if rate_hz is None else f', camera {rate_hz:.1f}'
        yield Finding('speed', OK if keeps_up or not is_chosen else WARN,
                      f'{size}{" as set" if is_chosen else ""}: {1e3 * period_s:.0f} ms, {1 / period_s:.1f} frames/s{camera} '
                      f'({engine}){"" if keeps_up else f", below {rate_hz or SLOWEST_HZ:g} frames/s"}', remedy)


def _lower_precision(settings: SegmentationSettings) -> str:
    """Precisions that are faster than float32 on the device, as text."""
    device = choose_device(settings.device)
    return ' or '.join((*lower_precisions(device), *(() if device.type == 'cuda' else ('int8',))))


def _median_s(segmenter: Segmenter, rgb: np.ndarray) -> float:
    times = []
    for _ in range(WARM_UP_FRAMES + FRAMES):
        start = time.perf_counter()
        segmenter.segment(rgb)
        times.append(time.perf_counter() - start)
    return float(np.median(times[WARM_UP_FRAMES:]))
