"""A picture and its labels, painted together through a pinhole camera, so that both always agree."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fanet_ros.sources.street_sketch import Polygons

NEAR_M = 1.0
HAZE_M = 160.0
SMALLEST_PX = 0.5           # what covers less in either direction is not painted
SHADOW = 0.58               # brightness that is left in a shadow
_SUBPIXEL_BITS = 4


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


class Canvas:
    """Picture and labels as one (H, W, 4) uint8 array, RGB and label, so that one call paints both."""

    def __init__(self, view: View, sky: np.ndarray, haze: np.ndarray) -> None:
        self._view, self._haze = view, haze.astype(np.float32)
        self._pixels = sky.copy()

    @property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8, a copy."""
        return cv2.cvtColor(self._pixels, cv2.COLOR_RGBA2RGB)

    @property
    def labels(self) -> np.ndarray:
        """(H, W) uint8, a copy."""
        return cv2.extractChannel(self._pixels, 3)

    def paint(self, polygons: Polygons) -> None:
        """Paint polygons in their order; colours fade into the haze with distance."""
        if not len(polygons.sizes):
            return
        corners, first, chosen, depth = self._visible(polygons)
        clear = np.exp(-np.maximum(depth, 0) / HAZE_M)[:, None]
        colors = np.clip(polygons.colors * clear + self._haze * (1 - clear), 0, 255)
        values = np.concatenate([colors, polygons.labels[:, None]], 1).tolist()
        last = first + polygons.sizes
        for index in chosen.tolist():
            cv2.fillPoly(self._pixels, [corners[first[index]:last[index]]], values[index], shift=_SUBPIXEL_BITS)

    def texture(self, rows: slice, change: np.ndarray) -> None:
        """Add `change` (h, W) int16 to the picture in these rows."""
        zero = np.zeros_like(change)
        cv2.add(self._pixels[rows], cv2.merge([change, change, change, zero]), self._pixels[rows], dtype=cv2.CV_8U)

    def darken(self, polygons: Polygons) -> None:
        """Lay shadows over what has been painted; the labels stay."""
        if not len(polygons.sizes):
            return
        corners, first, chosen, _ = self._visible(polygons)
        last = first + polygons.sizes
        mask = np.zeros(self._pixels.shape[:2], np.uint8)
        for index in chosen.tolist():
            cv2.fillPoly(mask, [corners[first[index]:last[index]]], 255, shift=_SUBPIXEL_BITS)
        top = max(int(self._view.horizon_px), 0)
        below = self._pixels[top:]
        cv2.copyTo(cv2.LUT(below, _SHADOW_TABLE), mask[top:], below)

    def _visible(self, polygons: Polygons) -> 'tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]':
        """Corners in subpixels, index of each polygon's first, indices of the polygons to paint, depths [m]."""
        first = np.cumsum(polygons.sizes) - polygons.sizes
        px = self._view.project(polygons.points)
        low, high = np.minimum.reduceat(px, first), np.maximum.reduceat(px, first)
        depth = np.add.reduceat(polygons.points[:, 2], first) / polygons.sizes
        farthest = np.maximum.reduceat(polygons.points[:, 2], first)
        size = (self._view.width, self._view.height)
        shown = (farthest > NEAR_M) & ((high > 0) & (low < size) & (high - low > SMALLEST_PX)).all(1)
        limit = 8 * max(size)
        corners = np.round(np.clip(px, -limit, limit) * 2 ** _SUBPIXEL_BITS).astype(np.int32)
        return corners, first, np.flatnonzero(shown), depth


_SHADOW_TABLE = np.empty((256, 1, 4), np.uint8)
_SHADOW_TABLE[:, 0, :3] = (np.arange(256) * SHADOW).astype(np.uint8)[:, None]
_SHADOW_TABLE[:, 0, 2] = (np.arange(256) * SHADOW * 1.08).astype(np.uint8)      # what lights a shadow is the blue sky
_SHADOW_TABLE[:, 0, 3] = np.arange(256)
