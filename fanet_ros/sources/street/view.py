# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera is in one frame, and what it maps to where."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR_M = 1.0


@dataclass(frozen=True)
class View:
    """The camera in one frame: x_m right of the road's middle, height_m above it, in a road that bends by bend_per_m.

    focal_px, center_px and horizon_px are those of the picture; a turn or a nod of the camera moves the last two.
    """

    width: int
    height: int
    focal_px: float
    center_px: float
    horizon_px: float
    height_m: float
    x_m: float
    bend_per_m: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """(P, 3) metres -> (P, 2) px; points nearer than NEAR_M are held there."""
        depth = np.maximum(points[:, 2], NEAR_M)
        x = points[:, 0] - self.x_m + 0.5 * self.bend_per_m * depth * depth
        scale = self.focal_px / depth
        return np.stack([self.center_px + scale * x, self.horizon_px + scale * (self.height_m - points[:, 1])], 1)

    def ground_depth_m(self, rows: np.ndarray) -> np.ndarray:
        """How far the ground is in these rows below the horizon."""
        return self.focal_px * self.height_m / np.maximum(rows + 0.5 - self.horizon_px, 1e-3)
