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

    One image has no depth, so the camera only rotates and zooms: a similarity transform per frame, drawn once for the clip.

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
        clip.insert(0, Sample(f'{sample.name}-{back}', rgb, labels))
    return clip
