# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Short training videos, simulated from single labelled images by camera motion."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.training.augment import FILL_RGB


def camera_motion_clip(sample: Sample, length: int, rng: np.random.Generator, *, max_shift: float = 0.03,
                       max_zoom: float = 0.06, max_roll_deg: float = 1.0) -> list[Sample]:
    """`length` frames that end with `sample` itself, as a steadily moving camera might have seen them.

    One image has no depth, so the camera only rotates and zooms: a similarity transform per frame, drawn once for the clip. Soft
    labels move with the image and are unknown outside it.

    :param max_shift: largest shift per frame, relative to the image's width
    :param max_zoom: largest relative change of scale per frame
    :param max_roll_deg: largest roll per frame
    """
    height, width = sample.labels.shape
    zoom = 1.0 + rng.uniform(-max_zoom, max_zoom)
    shift = rng.uniform(-max_shift, max_shift, 2) * width
    step = np.eye(3)
    step[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-max_roll_deg, max_roll_deg), zoom)
    step[:2, 2] += shift
    clip = [sample]
    matrix = np.eye(3)
    for back in range(1, length):
        matrix = step @ matrix
        rgb = cv2.warpAffine(sample.rgb, matrix[:2], (width, height), flags=cv2.INTER_LINEAR, borderValue=FILL_RGB)
        labels = cv2.warpAffine(sample.labels, matrix[:2], (width, height), flags=cv2.INTER_NEAREST,
                                borderValue=UNLABELLED)
        soft = None if sample.soft is None else _moved_soft(sample.soft, matrix, height, width)
        clip.insert(0, Sample(f'{sample.name}-{back}', rgb, labels, soft))
    return clip


def _moved_soft(soft: np.ndarray, matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    """Soft labels (h, w, C) of an image (height, width) that is moved by `matrix` (3, 3) [px]; zero where it does not reach."""
    rows, columns = soft.shape[:2]
    to_cells = np.diag([(columns - 1) / max(width - 1, 1), (rows - 1) / max(height - 1, 1), 1])
    moved = to_cells @ matrix @ np.linalg.pinv(to_cells)
    return np.dstack([cv2.warpAffine(np.ascontiguousarray(soft[..., number]), moved[:2], (columns, rows), flags=cv2.INTER_LINEAR)
                      for number in range(soft.shape[2])])
