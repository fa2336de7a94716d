# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An image and its labels, painted together through a pinhole camera, so that both always agree."""
from __future__ import annotations

import math

import cv2
import numpy as np

from fanet_ros.sources.street.sketch import Polygons
from fanet_ros.sources.street.texture import HULL, OPAQUE, SHARE, SOLID, Texture
from fanet_ros.sources.street.view import NEAR_M, View
from fanet_ros.sources.street.weather import Haze

SMALLEST_PX = 0.6           # anything smaller in either direction is not painted
PLAIN_PX = 4.0              # a smaller texture is painted in one colour
_SUBPIXEL_BITS = 4


class Canvas:
    """Image and labels as one (H, W, 4) uint8 array, RGB and label, so that one call paints both.

    :param background: (H, W, 4) uint8, copied
    """

    def __init__(self, view: View, background: np.ndarray, haze: Haze) -> None:
        self._view, self._haze = view, haze
        self.pixels = background.copy()

    @property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8, a copy."""
        return cv2.cvtColor(self.pixels, cv2.COLOR_RGBA2RGB)

    @property
    def labels(self) -> np.ndarray:
        """(H, W) uint8, a copy."""
        return cv2.extractChannel(self.pixels, 3)

    def paint(self, polygons: Polygons) -> None:
        """Paint polygons in order; colours fade into the haze with distance."""
        if not len(polygons.sizes):
            return
        px, first, chosen, low, high = self._visible(polygons)
        depth = np.add.reduceat(np.maximum(polygons.points[:, 2], NEAR_M), first) / polygons.sizes
        values = np.column_stack([self._haze.fade(polygons.colors, depth), polygons.labels]).tolist()
        steps = self._haze.steps(depth).tolist()
        fixed = self._fixed(px)
        last = (first + polygons.sizes).tolist()
        begin = first.tolist()
        plain = ((high - low).min(1) < PLAIN_PX).tolist()
        low_px = np.clip(np.floor(low), 0, self._size).astype(int).tolist()
        high_px = np.clip(np.ceil(high) + 1, 0, self._size).astype(int).tolist()
        for index in chosen.tolist():
            texture = polygons.textures[index]
            start = begin[index]
            if texture is None or (plain[index] and texture.is_compact):
                cv2.fillPoly(self.pixels, [fixed[start:last[index]]], values[index], shift=_SUBPIXEL_BITS)
                continue
            if texture.is_opaque:       # closes the seam between neighbours, half a texel wide
                cv2.fillPoly(self.pixels, [fixed[start:start + 4]], values[index], shift=_SUBPIXEL_BITS)
            self._lay(texture, px[start:start + 4], polygons.points[start:start + 4, 2], steps[index],
                      low_px[index], high_px[index])

    def darken(self, shadows: Polygons) -> None:
        """Darken what has been painted by shadows, each as strong as its colour; labels are unchanged."""
        if not len(shadows.sizes):
            return
        shadows = shadows.sorted_by_color()
        px, first, chosen, _, _ = self._visible(shadows)
        top = min(max(int(self._view.horizon_px), 0), self._view.height - 1)
        mask = np.full((self._view.height - top, self._view.width), 255, np.uint8)
        fixed = self._fixed(px - (0, top))
        strengths = (255 - shadows.colors[:, 0]).tolist()
        for index in chosen.tolist():
            start = first[index]
            cv2.fillPoly(mask, [fixed[start:start + 4]], strengths[index], shift=_SUBPIXEL_BITS)
        softness = 2 * (self._view.width // 320) + 3
        soft = cv2.blur(mask, (softness, max(softness // 2, 1)))
        below = self.pixels[top:]
        cv2.multiply(below, cv2.merge([soft, soft, soft, np.full_like(mask, 255)]), below, scale=1 / 255)

    @property
    def _size(self) -> tuple[int, int]:
        return self._view.width, self._view.height

    def _visible(self, polygons: Polygons) -> tuple[np.ndarray, ...]:
        """Corners [px], index of each polygon's first corner, indices of visible polygons, lower and upper bounds [px]."""
        first = np.cumsum(polygons.sizes) - polygons.sizes
        px = self._view.project(polygons.points)
        low, high = np.minimum.reduceat(px, first), np.maximum.reduceat(px, first)
        farthest = np.maximum.reduceat(polygons.points[:, 2], first)
        shown = (farthest > NEAR_M) & ((high > 0) & (low < self._size) & (high - low > SMALLEST_PX)).all(1)
        return px, first, np.flatnonzero(shown), low, high

    def _fixed(self, px: np.ndarray) -> np.ndarray:
        limit = 8 * max(self._size)
        return np.round(np.clip(px, -limit, limit) * 2 ** _SUBPIXEL_BITS).astype(np.int32)

    def _lay(self, texture: Texture, px: np.ndarray, z: np.ndarray, haze_step: int, low: list[int],
             high: list[int]) -> None:
        """Map a texture onto the quadrilateral px (4, 2), whose corners are z (4,) metres away."""
        (x0, y0), (x1, y1) = low, high
        if x1 <= x0 or y1 <= y0:
            return
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = px.tolist()
        za, zb, _, zd = z.tolist()
        if za != zd and min(za, zb, zd) < NEAR_M:
            return
        begin, end = 0.0, 1.0       # the part of the texture, from left to right, that is in front of the camera
        if za < NEAR_M:
            begin = (NEAR_M - za) / (zb - za)
        elif zb < NEAR_M:
            end = (NEAR_M - za) / (zb - za)
        across = max(math.hypot(bx - ax, by - ay), math.hypot(cx - dx, cy - dy), 1.0)
        upward = max(math.hypot(dx - ax, dy - ay), math.hypot(cx - bx, cy - by), 1.0)
        pixels = texture.level(_shrinks(texture.width * (end - begin) / across), _shrinks(texture.height / upward),
                               haze_step, self._haze.tables)
        if begin > 0 or end < 1:
            columns = pixels.shape[1] - texture.rim
            pixels = pixels[:, min(int(begin * columns), columns - 2):max(round(end * columns), 2) + texture.rim]
        bottom, right = pixels.shape[0] - 1 - texture.rim, pixels.shape[1] - 1 - texture.rim
        if abs(ay - by) < 1e-3 and abs(ax - dx) < 1e-3 and abs(bx - cx) < 1e-3:
            scale_x, scale_y = right / ((bx - ax) or 1e-6), bottom / ((ay - dy) or 1e-6)
            matrix = np.array([[scale_x, 0, (x0 - ax) * scale_x], [0, scale_y, (y0 - dy) * scale_y]])
            warp = cv2.warpAffine
        else:
            target = np.array(
                [(ax - x0, ay - y0), (bx - x0, by - y0), (cx - x0, cy - y0), (dx - x0, dy - y0)], np.float32)
            source = np.array([(0, bottom), (right, bottom), (right, 0), (0, 0)], np.float32)
            matrix = cv2.getPerspectiveTransform(target, source)
            warp = cv2.warpPerspective
        region = self.pixels[y0:y1, x0:x1]
        tile = warp(pixels, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        cover = cv2.extractChannel(tile, 3)
        # Colour and label of an opaque texture are painted only where interpolation mixes in nothing from beyond its edge.
        solid, hull = (OPAQUE, OPAQUE) if texture.is_opaque else (SOLID, HULL)
        if texture.is_sparse:
            share = cv2.LUT(cover, SHARE)
            mixed = cv2.blendLinear(tile, region, share, 1 - share)
            covered = cv2.compare(cover, HULL, cv2.CMP_GE)  # type: ignore[call-overload]  # OpenCV's stubs lack the scalar
            cv2.copyTo(mixed, covered, region)
        else:
            covered = cv2.compare(cover, solid, cv2.CMP_GE)  # type: ignore[call-overload]  # OpenCV's stubs lack the scalar
            cv2.copyTo(tile, covered, region)
        np.copyto(region[..., 3], np.uint8(texture.label), where=cover >= hull)


def _shrinks(texels_per_px: float) -> int:
    """How many times to halve a texture."""
    return 0 if texels_per_px < 1.5 else min(int(math.log2(texels_per_px) + 0.42), 8)
