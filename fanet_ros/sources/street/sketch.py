# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Things in the street as coloured or textured, labelled polygons, recorded once and drawn in many frames.

In metres: x to the right of the road's centre line, y up from the ground, z forward from the thing's origin.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence, Union

import numpy as np

from fanet_ros.sources.street.texture import Texture

Point = Union[Sequence[float], np.ndarray]      # x, y, z; or red, green, blue
SUN_SHADE, CONTACT_SHADE = 110.0, 165.0     # brightness that a shadow removes, of 255


@dataclass(frozen=True)
class Polygons:
    """n polygons with P corners in total, in painting order.

    points (P, 3) float32 [m], sizes (n,) corners of each, colors (n, 3) float32 RGB, labels (n,) float32,
    textures: n; a textured one has 4 corners: bottom left, bottom right, top right, top left of the texture.
    """

    points: np.ndarray
    sizes: np.ndarray
    colors: np.ndarray
    labels: np.ndarray
    textures: list[Optional[Texture]]

    @classmethod
    def join(cls, parts: Sequence[Polygons], z: Sequence[float]) -> Polygons:
        """All `parts` as one, each moved forward by its `z` in metres. Needs at least one part."""
        points = np.concatenate([part.points for part in parts])
        points[:, 2] += np.repeat(np.asarray(z, np.float32), [len(part.points) for part in parts])
        sizes, colors, labels = (np.concatenate([getattr(part, name) for part in parts])
                                 for name in ('sizes', 'colors', 'labels'))
        return cls(points, sizes, colors, labels,
                   [texture for part in parts for texture in part.textures])

    def sorted_by_color(self) -> Polygons:
        """The same polygons from dark to light; all must have the same number of corners and no textures."""
        order = np.argsort(self.colors[:, 0], kind='stable')
        points = self.points.reshape(len(self.sizes), -1, 3)[order].reshape(-1, 3)
        return Polygons(points, self.sizes, self.colors[order], self.labels[order], self.textures)


@dataclass(frozen=True)
class Thing:
    """Something in the street, and its shadow on the ground: quadrilaterals whose colour is the strength."""

    solid: Polygons
    shadow: Polygons


class Sketch:
    """Records polygons, farthest first.

    :param light: brightness of the day, multiplies every plain colour (textures already include it)
    :param sun: (x, z) shadow in metres per metre of height; None: no sun
    """

    def __init__(self, light: float, sun: Optional[tuple[float, float]]) -> None:
        self.light, self.sun = light, sun
        self._solid: list[tuple[np.ndarray, Point, int, Optional[Texture]]] = []
        self._shadow: list[tuple[np.ndarray, Point, int, Optional[Texture]]] = []

    def polygon(self, points: Union[Sequence[Point], np.ndarray], color: Point, label: int, *, glows: bool = False) -> None:
        """A flat polygon; with `glows` it keeps its brightness at night."""
        lit = np.asarray(color, np.float32) * (1.0 if glows else self.light)
        self._solid.append((np.asarray(points, np.float32), lit, label, None))

    def textured(self, points: Sequence[Point], texture: Texture) -> None:
        """A textured quadrilateral; corners: bottom left, bottom right, top right, top left of the texture."""
        self._solid.append((np.asarray(points, np.float32), texture.mean, texture.label, texture))

    def upright(self, x0: float, x1: float, y0: float, y1: float, z: float, color: Point, label: int, *,
                glows: bool = False) -> None:
        """A rectangle facing the camera."""
        self.polygon([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], color, label, glows=glows)

    def picture(self, texture: Texture, x: float, width: float, height: float, base: float = 0.0,
                z: float = 0.0) -> None:
        """A texture facing the camera, `width` metres wide and centred on x."""
        x0, x1 = x - width / 2, x + width / 2
        self.textured([(x0, base, z), (x1, base, z), (x1, base + height, z), (x0, base + height, z)], texture)

    def wall(self, texture: Texture, x: float, length: float, height: float) -> None:
        """A texture along the street, from z 0."""
        self.textured([(x, 0, 0), (x, 0, length), (x, height, length), (x, height, 0)], texture)

    def along(self, x: float, y0: float, y1: float, z0: float, z1: float, color: Point, label: int, *,
              glows: bool = False) -> None:
        """An upright rectangle along the street."""
        self.polygon([(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)], color, label, glows=glows)

    def ellipse(self, center: Point, radius_x: float, radius_y: float, color: Point, label: int, *,
                sides: int = 12, glows: bool = False) -> None:
        """An upright ellipse facing the camera."""
        angles = np.arange(sides) * (2 * np.pi / sides)
        points = np.stack([center[0] + radius_x * np.cos(angles), center[1] + radius_y * np.sin(angles),
                           np.full(sides, center[2])], 1)
        self.polygon(points, color, label, glows=glows)

    def shade_under(self, x: float, z0: float, z1: float, half_width: float, strength: float = CONTACT_SHADE) -> None:
        """Contact shadow under a thing that touches the ground, in any weather."""
        self._shade([(x - half_width, z0), (x + half_width, z0), (x + half_width, z1), (x - half_width, z1)], strength)

    def shade_upright(self, x: float, z: float, half_width: float, height: float, base: float = 0.0) -> None:
        """Sun shadow of something upright, from `base` to `height` metres above the ground."""
        if self.sun is None:
            return
        (x0, z0), (x1, z1) = ((x + self.sun[0] * h, z + self.sun[1] * h) for h in (base, height))
        # Perpendicular to the light, so that the width is the same wherever the sun is.
        length = max(float(np.hypot(*self.sun)), 1e-6)
        dx, dz = half_width * self.sun[1] / length, half_width * self.sun[0] / length
        self._shade([(x0 - dx, z0 + dz), (x0 + dx, z0 - dz), (x1 + dx, z1 - dz), (x1 - dx, z1 + dz)], SUN_SHADE)

    def shade_wall(self, x: float, length: float, height: float) -> None:
        """Sun shadow of a wall along the street, from z 0."""
        if self.sun is not None:
            dx, dz = self.sun[0] * height, self.sun[1] * height
            self._shade([(x, 0), (x, length), (x + dx, length + dz), (x + dx, dz)], SUN_SHADE)

    def finish(self) -> Thing:
        """Everything recorded so far."""
        return Thing(_pack(self._solid), _pack(self._shadow))

    def _shade(self, corners: Sequence[tuple[float, float]], strength: float) -> None:
        points = np.array([(x, 0.0, z) for x, z in corners], np.float32)
        self._shadow.append((points, (strength, strength, strength), 0, None))


def _pack(polygons: list[tuple[np.ndarray, Point, int, Optional[Texture]]]) -> Polygons:
    if not polygons:
        return Polygons(np.empty((0, 3), np.float32), np.empty(0, np.intp), np.empty((0, 3), np.float32),
                        np.empty(0, np.float32), [])
    points, colors, labels, textures = zip(*polygons)
    return Polygons(np.concatenate(points), np.array([len(corners) for corners in points], np.intp),
                    np.array(colors, np.float32), np.array(labels, np.float32), list(textures))
