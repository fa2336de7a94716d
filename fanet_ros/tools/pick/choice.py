# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Selection of frames to label: different from each other, and with uncertain predictions.

Frames far apart from each other represent all others (k-centre greedy: Sener and Savarese, arXiv 1708.00489); here distances are
weighted by the uncertainty. A frame is described by which class is where in the image.
"""
from __future__ import annotations

import cv2
import numpy as np

ROWS, COLUMNS = 3, 4            # parts of the image in which classes are counted


def layout_of(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(C * ROWS * COLUMNS,) float32: square root of each class's share of each part of the image, from (H, W) uint8 labels.

    Distances between layouts are Hellinger distances of the shares, in which rare classes count too.
    """
    return np.concatenate([
        np.sqrt(cv2.resize((labels == number).astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)).ravel()
        for number in range(num_classes)])


def choose(layouts: np.ndarray, uncertainties: np.ndarray, count: int) -> list[int]:
    """Indices of at most `count` frames, in the order of selection; of frames with equal layouts only one is taken.

    :param layouts: (n, D), see layout_of()
    :param uncertainties: (n,), 0 or more
    """
    weights = uncertainties / max(float(uncertainties.mean()), 1e-9)
    chosen = [int(uncertainties.argmax())]
    nearest = np.linalg.norm(layouts - layouts[chosen[0]], axis=1)
    while len(chosen) < min(count, len(layouts)):
        value = nearest * weights
        value[chosen] = -1.0
        best = int(value.argmax())
        if nearest[best] == 0:
            break
        chosen.append(best)
        nearest = np.minimum(nearest, np.linalg.norm(layouts - layouts[best], axis=1))
    return chosen
