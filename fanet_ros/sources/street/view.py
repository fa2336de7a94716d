# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole camera of one frame: its pose and projection."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR_M = 1.0


@dataclass(frozen=True)
class View:
    """The camera in one frame: x_m right of the road's centre line, height_m above it, on a road that curves by bend_per_m.

    focal_px, center_px and horizon_px are in image pixels; yaw and pitch of the camera move the last two.
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
        """(P, 3) metres -> (P, 2) px; depths below NEAR_M are clamped to it."""
        depth = np.maximum(points[:, 2], NEAR_M)
        x = points[:, 0] - self.x_m + 0.5 * self.bend_per_m * depth * depth
        scale = self.focal_px / depth
        return np.stack([self.center_px + scale * x, self.horizon_px + scale * (self.height_m - points[:, 1])], 1)

    def ground_depth_m(self, rows: np.ndarray) -> np.ndarray:
        """Depth of the ground in these rows below the horizon."""
        return self.focal_px * self.height_m / np.maximum(rows + 0.5 - self.horizon_px, 1e-3)
