"""A picture and its labels, painted together through a pinhole camera, so that both always agree.

World frame: x right, y up, z forward from the camera, metres. The camera stands CAMERA_HEIGHT_M above the road.
"""
from __future__ import annotations

from typing import Sequence

import cv2
import numpy as np

CAMERA_HEIGHT_M = 1.5
NEAR_M = 1.2
HAZE_M = 150.0
_SUBPIXEL_BITS = 4


class Canvas:
    """(height, width) px; `rgb` (H, W, 3) float-free uint8 and `labels` (H, W) uint8 share one geometry."""

    def __init__(self, width: int, height: int, haze: Sequence[float]) -> None:
        self.width, self.height = width, height
        self.rgb = np.empty((height, width, 3), np.uint8)
        self.labels = np.zeros((height, width), np.uint8)
        self.focal_px = 0.95 * width
        self.horizon_px = 0.44 * height
        self.haze = np.asarray(haze, float)

    def project(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) metres -> (n, 2) px; points nearer than NEAR_M are held there."""
        depth = np.maximum(points[:, 2], NEAR_M)
        return np.stack([self.width / 2 + self.focal_px * points[:, 0] / depth,
                         self.horizon_px + self.focal_px * (CAMERA_HEIGHT_M - points[:, 1]) / depth], 1)

    def paint(self, points: Sequence[Sequence[float]], color: Sequence[float], label: int) -> None:
        """Fill the polygon with corners `points` (n, 3) in metres; its colour fades into the haze with distance."""
        corners = np.asarray(points, float)
        if corners[:, 2].max() <= NEAR_M:
            return
        self.fill(self.project(corners), self.hazed(color, float(corners[:, 2].mean())), label)

    def ellipse(self, center: Sequence[float], radius_x: float, radius_y: float, color: Sequence[float],
                label: int) -> None:
        """Fill an upright ellipse facing the camera; all in metres."""
        if center[2] <= NEAR_M:
            return
        angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        ring = np.stack([center[0] + radius_x * np.cos(angles), center[1] + radius_y * np.sin(angles),
                         np.full(angles.shape, center[2])], 1)
        self.paint(ring, color, label)

    def upright(self, x0: float, x1: float, y0: float, y1: float, z: float, color: Sequence[float],
                label: int) -> None:
        """Fill an upright rectangle facing the camera; all in metres."""
        self.paint([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], color, label)

    def fill(self, corners_px: np.ndarray, color: Sequence[float], label: int) -> None:
        """Fill a polygon given in px, in picture and labels alike."""
        limit = 8 * max(self.width, self.height)
        fixed = np.round(np.clip(corners_px, -limit, limit) * 2 ** _SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(self.rgb, [fixed], tuple(float(value) for value in color), shift=_SUBPIXEL_BITS)
        cv2.fillPoly(self.labels, [fixed], int(label), shift=_SUBPIXEL_BITS)

    def hazed(self, color: Sequence[float], depth_m: float) -> np.ndarray:
        """`color` as seen through `depth_m` metres of air."""
        clear = np.exp(-max(depth_m, 0.0) / HAZE_M)
        return np.clip(np.asarray(color, float) * clear + self.haze * (1 - clear), 0, 255)
