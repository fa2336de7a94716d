"""How far predicted labels agree with the true ones, over many frames."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

UNLABELLED = 255


@dataclass(frozen=True)
class Agreement:
    """Shares are 0..1. `class_iou` is by class name; None for a class that neither side ever shows."""

    frames: int
    pixel_agreement: float
    mean_iou: float
    class_iou: dict[str, Optional[float]]


class AgreementCounter:
    """Counts (true class, predicted class) pairs of pixels; pixels whose true label is 255 do not count."""

    def __init__(self, class_names: tuple[str, ...]) -> None:
        self._names = class_names
        self._pairs = np.zeros((len(class_names), len(class_names) + 1), np.int64)    # last column: any other value
        self._frames = 0

    def add(self, truth: np.ndarray, labels: np.ndarray) -> float:
        """Count one frame of (H, W) uint8 labels each; returns this frame's pixel agreement, nan without labels.

        Raises ValueError when the shapes differ.
        """
        if truth.shape != labels.shape:
            raise ValueError(f'true labels are {truth.shape}, predicted ones {labels.shape}: expected equal shapes')
        count = len(self._names)
        known = truth < count
        predicted = np.minimum(labels[known], count).astype(np.int64)
        pairs = np.bincount(truth[known].astype(np.int64) * (count + 1) + predicted, minlength=self._pairs.size)
        pairs = pairs.reshape(self._pairs.shape)
        self._pairs += pairs
        self._frames += 1
        return _share(np.trace(pairs), pairs.sum())

    def result(self) -> Optional[Agreement]:
        """None when no frame was counted."""
        if not self._frames:
            return None
        hits = np.diag(self._pairs)
        unions = self._pairs.sum(axis=1) + self._pairs[:, :-1].sum(axis=0) - hits
        class_iou = {
            name: _share(hit, union) if union else None for name, hit, union in zip(self._names, hits, unions)}
        present = [iou for iou in class_iou.values() if iou is not None]
        return Agreement(
            self._frames, _share(hits.sum(), self._pairs.sum()),
            float(np.mean(present)) if present else float('nan'), class_iou)


def _share(part: np.integer, whole: np.integer) -> float:
    return float(part) / float(whole) if whole else float('nan')
