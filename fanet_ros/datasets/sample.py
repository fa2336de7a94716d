# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One labelled image."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

UNLABELLED = 255


class DatasetError(ValueError):
    """A data set cannot be used; one line that names the file and the remedy."""


@dataclass(frozen=True)
class Sample:
    """One labelled image: `rgb` (H, W, 3) uint8, `labels` (H, W) uint8 with 255 for unlabelled pixels.

    soft: (h, w, C) uint8, what another network makes of the image: the probability of each class, of 255, at a lower
        resolution whose corners are the image's corners; None where nobody was asked
    """

    name: str
    rgb: np.ndarray
    labels: np.ndarray
    soft: Optional[np.ndarray] = None

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return self.rgb.nbytes + self.labels.nbytes + (0 if self.soft is None else self.soft.nbytes)
