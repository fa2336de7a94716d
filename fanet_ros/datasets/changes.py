# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recipe does to the samples of a data set when they are read. Each function returns a change of a Sample."""
from __future__ import annotations

from dataclasses import replace
from typing import Callable

import cv2
import numpy as np

from fanet_ros.datasets.sample import UNLABELLED, Sample

Change = Callable[[Sample], Sample]


def relabel(table: np.ndarray) -> Change:
    """`table[label]` for every label; `table`: (256,) uint8."""
    return lambda sample: replace(sample, labels=table[sample.labels])


def stretch(height: int, width: int) -> Change:
    """Image and labels at another size, whatever that does to their proportions: for copies kept in another shape."""
    def change(sample: Sample) -> Sample:
        smaller = height * width < sample.labels.size
        rgb = cv2.resize(sample.rgb, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        return replace(sample, rgb=rgb, labels=cv2.resize(sample.labels, (width, height), interpolation=cv2.INTER_NEAREST))
    return change


def ignore_borders(width_px: int) -> Change:
    """Labels within `width_px` of another label become UNLABELLED: borders that were drawn carelessly teach no one."""
    kernel = np.ones((2 * width_px + 1, 2 * width_px + 1), np.uint8)

    def change(sample: Sample) -> Sample:
        border = cv2.dilate(sample.labels, kernel) != cv2.erode(sample.labels, kernel)
        return replace(sample, labels=np.where(border, np.uint8(UNLABELLED), sample.labels))
    return change
