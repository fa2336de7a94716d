# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms that a recipe applies to samples when they are read. Each function returns a Change."""
from __future__ import annotations

from dataclasses import replace
from typing import Callable

import cv2
import numpy as np

from fanet_ros.datasets.sample import UNLABELLED, Sample

Change = Callable[[Sample], Sample]


def relabel(table: np.ndarray) -> Change:
    """Replace every label by `table[label]`; `table`: (256,) uint8."""
    return lambda sample: replace(sample, labels=table[sample.labels])


def stretch(height: int, width: int) -> Change:
    """Resize image and labels without keeping the aspect ratio, to undo a distortion in stored copies; sizes in px."""
    def change(sample: Sample) -> Sample:
        smaller = height * width < sample.labels.size
        rgb = cv2.resize(sample.rgb, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        return replace(sample, rgb=rgb, labels=cv2.resize(sample.labels, (width, height), interpolation=cv2.INTER_NEAREST))
    return change


def ignore_borders(width_px: int) -> Change:
    """Set labels within `width_px` of another label to UNLABELLED, for masks with imprecise borders."""
    kernel = np.ones((2 * width_px + 1, 2 * width_px + 1), np.uint8)

    def change(sample: Sample) -> Sample:
        border = cv2.dilate(sample.labels, kernel) != cv2.erode(sample.labels, kernel)
        return replace(sample, labels=np.where(border, np.uint8(UNLABELLED), sample.labels))
    return change
