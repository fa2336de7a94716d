# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Agreement of predicted with true labels over many frames: pixel accuracy and IoU per class."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from fanet_ros.evaluation.metrics import ConfusionMatrix

UNLABELLED = 255


@dataclass(frozen=True)
class Agreement:
    """Fractions 0..1. `class_iou` is keyed by class name; None for a class that is neither labelled nor predicted."""

    frames: int
    pixel_agreement: float
    mean_iou: float
    class_iou: dict[str, Optional[float]]


class AgreementCounter:
    """Accumulates frames. Pixels without a true label are ignored; a prediction that is not a class counts as wrong."""

    def __init__(self, class_names: tuple[str, ...]) -> None:
        self._names = class_names
        self._total = self._matrix()
        self._frames = 0

    def add(self, truth: np.ndarray, labels: np.ndarray) -> float:
        """Count one frame, both (H, W) uint8; returns its pixel agreement, NaN if no pixel is labelled.

        :raises ValueError: the shapes differ
        """
        other = len(self._names)
        frame = self._matrix()
        frame.add(np.where(truth < other, truth, UNLABELLED), np.minimum(labels, other))
        self._total.counts += frame.counts
        self._frames += 1
        return frame.pixel_accuracy() if frame.counts.any() else float('nan')

    def result(self) -> Optional[Agreement]:
        """Agreement over all frames; None if no labelled pixel was counted."""
        if not self._total.counts.any():
            return None
        class_iou = self._total.class_iou()[:-1]
        return Agreement(
            self._frames, self._total.pixel_accuracy(), float(np.nanmean(class_iou)),
            {name: None if np.isnan(iou) else float(iou) for name, iou in zip(self._names, class_iou)})

    def _matrix(self) -> ConfusionMatrix:
        """With one extra class, for predictions that are not a class."""
        return ConfusionMatrix(len(self._names) + 1)
