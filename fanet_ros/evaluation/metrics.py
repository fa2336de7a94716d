# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of label maps: confusion matrix, IoU, pixel accuracy."""
from __future__ import annotations

import numpy as np

from fanet_ros.datasets import UNLABELLED


class ConfusionMatrix:
    """Counts pixels by true and predicted class over any number of frames.

    Pixels without a true label are ignored. Pixels predicted as unlabelled are misses of their true class.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.counts = np.zeros((num_classes, num_classes), np.int64)    # [true, predicted]
        self.missed = np.zeros(num_classes, np.int64)                   # [true], predicted as unlabelled

    def add(self, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Count one frame, both (H, W) uint8 of classes or UNLABELLED.

        :raises ValueError: the shapes differ, or a value is neither a class nor UNLABELLED; nothing is counted then
        """
        if truth.shape != predicted.shape:
            raise ValueError(f'ground truth is {truth.shape}, prediction {predicted.shape}: expected equal shapes')
        for name, labels in (('ground truth', truth), ('prediction', predicted)):
            wrong = labels[(labels >= self.num_classes) & (labels != UNLABELLED)]
            if wrong.size:
                raise ValueError(f'{name} holds class {wrong[0]}: expected 0..{self.num_classes - 1} or {UNLABELLED}')
        labelled = truth != UNLABELLED
        truth, predicted = truth[labelled].astype(np.int64), predicted[labelled]
        known = predicted != UNLABELLED
        index = truth[known] * self.num_classes + predicted[known]
        self.counts += np.bincount(index, minlength=self.num_classes ** 2).reshape(self.counts.shape)
        self.missed += np.bincount(truth[~known], minlength=self.num_classes)

    def class_iou(self) -> np.ndarray:
        """(C,) intersection over union, 0..1; NaN for classes that neither occur nor are predicted."""
        hits = np.diag(self.counts)
        union = self.counts.sum(0) + self.counts.sum(1) + self.missed - hits
        return np.where(union > 0, hits / np.maximum(union, 1), np.nan)

    def mean_iou(self) -> float:
        """Mean of class_iou() over the classes that occur or are predicted, 0..1; NaN if no pixel was labelled."""
        shares = self.class_iou()
        known = shares[~np.isnan(shares)]
        return float(known.mean()) if known.size else float('nan')

    def pixel_accuracy(self) -> float:
        """Fraction of labelled pixels predicted correctly, 0..1."""
        return float(np.diag(self.counts).sum() / max(self.counts.sum() + self.missed.sum(), 1))
