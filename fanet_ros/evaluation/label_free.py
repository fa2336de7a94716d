# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How consistent a network is on frames without labels, as evidence of its accuracy there.

A scene keeps its classes when the image is enlarged or mirrored, and one frame later. Where the labels of such views differ, at
least one is wrong; how often they differ indicates how often the network is wrong (agreement as an estimate of accuracy: Jiang et
al., arXiv 2106.13799). A network that labels everything as road is consistent too, which is why two networks are also compared in
the pixels that the first one is confident of, class by class.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

import numpy as np

from fanet_ros.datasets import UNLABELLED
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.evaluation.views import Predictions

CONFIDENT = 0.8         # least probability of a pixel that counts as confident, if all views agree
RARE = 0.001            # classes with a smaller share of the pixels are left out: too few to compare


@dataclass(frozen=True)
class Consistency:
    """Consistency of one network over several frames; all values are 0..1.

    agreement: mean IoU of the labels of each view with those of the frame
    agreed: share of the pixels in which all views agree
    confidence: mean probability of the labels
    class_shares: (C,) of the pixels
    """

    agreement: dict[str, float]
    agreed: float
    confidence: float
    class_shares: tuple[float, ...]

    @property
    def mean_agreement(self) -> float:
        return sum(self.agreement.values()) / len(self.agreement)


@dataclass(frozen=True)
class TeacherLabels:
    """What a third network, better than both, says of the frames.

    labels: of each frame (H, W) uint8 of any size, UNLABELLED where it is uncertain
    known: (C,) bool, the classes that it can tell
    """

    labels: Sequence[np.ndarray]
    known: np.ndarray


@dataclass(frozen=True)
class TeacherAgreement:
    """Agreement with a teacher; all values are 0..1.

    confirmed: share of the pixels that the first network is confident of, and that have a label of the teacher, with the same
        label; of the classes that the teacher can tell. 1 if there are none
    before, after: mean IoU of the labels of the first and of the second network with the teacher's
    """

    confirmed: float
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """Two networks on the same frames.

    kept: share of the pixels that the first one is confident of with the same label from the second; with a teacher, only of
        those to which it gives that label too, or whose class it cannot tell
    kept_by_class: the same for each class, NaN for a class without such pixels, or with a teacher too few
    changed: share of all pixels whose label differs
    teacher: what a third network says of them; None: there is none
    """

    before: Consistency
    after: Consistency
    kept: float
    kept_by_class: tuple[float, ...]
    changed: float
    teacher: Optional[TeacherAgreement] = None


class _Counter:
    """Accumulates the predictions of one network."""

    def __init__(self, num_classes: int) -> None:
        self._num_classes = num_classes
        self._matrices: dict[str, ConfusionMatrix] = {}
        self._pixels = np.zeros(num_classes, np.int64)
        self._agreed = self._confidence = 0.0

    def add(self, predictions: Predictions) -> None:
        for name, labels in predictions.views.items():
            self._matrices.setdefault(name, ConfusionMatrix(self._num_classes)).add(labels, predictions.labels)
        self._pixels += np.bincount(predictions.labels.ravel(), minlength=self._num_classes)
        self._agreed += float(predictions.agreed.sum())
        self._confidence += float(predictions.confidence.sum())

    @property
    def frequent(self) -> np.ndarray:
        """(C,) bool: classes that are not rare."""
        return _frequent(self._pixels)

    def consistency(self, classes: np.ndarray) -> Consistency:
        """:param classes: (C,) bool, classes to average the agreement over; one that is no longer predicted counts as 0"""
        total = max(int(self._pixels.sum()), 1)
        agreement = {name: _mean_iou(matrix, classes) for name, matrix in self._matrices.items()}
        return Consistency(agreement, self._agreed / total, self._confidence / total, tuple((self._pixels / total).tolist()))


def compare(before: Sequence[Predictions], after: Sequence[Predictions], num_classes: int,
            teacher: Optional[TeacherLabels] = None) -> Comparison:
    """Compare two networks on the same frames; agreement is averaged over the classes that `before` predicts frequently."""
    counters = _Counter(num_classes), _Counter(num_classes)
    taught = None if teacher is None else _TeacherCounter(teacher)
    confident, kept = np.zeros(num_classes), np.zeros(num_classes)
    changed = pixels = 0
    for number, (old, new) in enumerate(zip(before, after)):
        counters[0].add(old)
        counters[1].add(new)
        counted = old.agreed & (old.confidence > CONFIDENT)
        if taught is not None:
            counted = taught.add(number, old, new, counted)
        confident += np.bincount(old.labels[counted], minlength=num_classes)
        kept += np.bincount(old.labels[counted & (old.labels == new.labels)], minlength=num_classes)
        changed += int((old.labels != new.labels).sum())
        pixels += old.labels.size
    classes = counters[0].frequent
    by_class = np.where(confident > (0 if taught is None else RARE * pixels), kept / np.maximum(confident, 1), np.nan)
    return Comparison(counters[0].consistency(classes), counters[1].consistency(classes),
                      float(kept.sum() / max(confident.sum(), 1)), tuple(by_class.tolist()), changed / max(pixels, 1),
                      None if taught is None else taught.agreement())


class _TeacherCounter:
    """Accumulates the agreement of two networks with the labels of a third one."""

    def __init__(self, teacher: TeacherLabels) -> None:
        classes = len(teacher.known)
        self._teacher = teacher
        self._before, self._after = ConfusionMatrix(classes), ConfusionMatrix(classes)
        self._pixels = np.zeros(classes, np.int64)
        self._confident = self._confirmed = 0

    def add(self, number: int, old: Predictions, new: Predictions, confident: np.ndarray) -> np.ndarray:
        """Add a frame; returns which of the `confident` pixels, (h, w) bool, the teacher confirms or cannot tell."""
        given = self._teacher.labels[number]
        rows, columns = (np.linspace(0, side - 1, count).round().astype(int)       # corners aligned, as in the predictions
                         for side, count in zip(given.shape, old.labels.shape))
        labels = given[rows[:, None], columns]
        self._before.add(labels, old.labels)
        self._after.add(labels, new.labels)
        self._pixels += np.bincount(labels[labels != UNLABELLED], minlength=len(self._pixels))
        can_tell, same = self._teacher.known[old.labels], old.labels == labels
        told = confident & can_tell & (labels != UNLABELLED)
        self._confident += int(told.sum())
        self._confirmed += int((told & same).sum())
        counted: np.ndarray = confident & (same | ~can_tell)
        return counted

    def agreement(self) -> TeacherAgreement:
        classes = _frequent(self._pixels)
        return TeacherAgreement(self._confirmed / self._confident if self._confident else 1.0,
                                _mean_iou(self._before, classes), _mean_iou(self._after, classes))


def _frequent(pixels: np.ndarray) -> np.ndarray:
    """(C,) bool: classes that are not rare, from the number of their pixels."""
    return pixels > RARE * max(int(pixels.sum()), 1)


def _mean_iou(matrix: ConfusionMatrix, classes: np.ndarray) -> float:
    """Over these classes, (C,) bool; one that is no longer predicted counts as 0."""
    return float(np.nan_to_num(matrix.class_iou()[classes]).mean()) if classes.any() else 0.0
