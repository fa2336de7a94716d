"""One labelled image."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNLABELLED = 255


class DatasetError(ValueError):
    """A data set cannot be used; one line that names the file and the remedy."""


@dataclass(frozen=True)
class Sample:
    """One labelled image: `rgb` (H, W, 3) uint8, `labels` (H, W) uint8 with 255 for unlabelled pixels."""

    name: str
    rgb: np.ndarray
    labels: np.ndarray

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return self.rgb.nbytes + self.labels.nbytes
