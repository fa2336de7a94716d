"""A thing of the street as coloured, labelled polygons, recorded once and drawn in many frames.

Metres about the thing's own place: x to the right of the road's middle, y up, z forward.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from fanet_ros.sources.street_classes import ROAD

Point = Sequence[float]


@dataclass(frozen=True)
class Polygons:
    """n polygons with P corners in all, in the order they are painted.

    points (P, 3) float32 [m], sizes (n,) corners of each, colors (n, 3) float32 RGB, labels (n,) float32.
    """

    points: np.ndarray
    sizes: np.ndarray
    colors: np.ndarray
    labels: np.ndarray

    @classmethod
    def join(cls, parts: Sequence[Polygons], z: Sequence[float]) -> Polygons:
        """All `parts` in one, each moved forward by its `z` in metres. At least one part."""
        points = np.concatenate([part.points for part in parts])
        points[:, 2] += np.repeat(np.asarray(z, np.float32), [len(part.points) for part in parts])
        return cls(points, *(np.concatenate([getattr(part, name) for part in parts])
                             for name in ('sizes', 'colors', 'labels')))


@dataclass(frozen=True)
class Thing:
    """What stands in the street, and the shadow that it throws on the ground."""

    solid: Polygons
    shadow: Polygons


class Sketch:
    """Records polygons; the first is the farthest behind.

    :param light: brightness of the day: every colour is multiplied by it
    :param sun: (x, z) length of the shadow of one metre of height, in metres; None: no sun
    """

    def __init__(self, light: float, sun: 'tuple[float, float] | None') -> None:
        self.light, self.sun = light, sun
        self._solid: list[tuple[np.ndarray, Point, int]] = []
        self._shadow: list[tuple[np.ndarray, Point, int]] = []

    def polygon(self, points: Sequence[Point], color: Point, label: int, *, glows: bool = False) -> None:
        """A flat polygon; one that glows is as bright at night."""
        color = np.asarray(color, np.float32) * (1.0 if glows else self.light)
        self._solid.append((np.asarray(points, np.float32), color, label))

    def upright(self, x0: float, x1: float, y0: float, y1: float, z: float, color: Point, label: int, *,
                glows: bool = False) -> None:
        """A rectangle that faces the camera."""
        self.polygon([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], color, label, glows=glows)

    def along(self, x: float, y0: float, y1: float, z0: float, z1: float, color: Point, label: int, *,
              glows: bool = False) -> None:
        """A rectangle that stands along the street."""
        self.polygon([(x, y0, z0), (x, y0, z1), (x, y1, z1), (x, y1, z0)], color, label, glows=glows)

    def ellipse(self, center: Point, radius_x: float, radius_y: float, color: Point, label: int, *,
                sides: int = 12) -> None:
        """An upright ellipse that faces the camera."""
        self.polygon(_ellipse(center, radius_x, radius_y, sides), color, label)

    def ring(self, center: Point, radius: float, thickness: float, color: Point, label: int) -> None:
        """An upright ring, such as a wheel; a slit leads into the hole, as a polygon has only one border."""
        outer, inner = (_ellipse(center, size, size, 14) for size in (radius, radius - thickness))
        self.polygon(np.concatenate([outer, outer[:1], inner[:1], inner[::-1]]), color, label)

    def shade_under(self, x: float, z0: float, z1: float, half_width: float) -> None:
        """The darkness under a thing that touches the ground, whatever the weather."""
        self._shadow.append((np.array([
            (x - half_width, 0, z0), (x + half_width, 0, z0), (x + half_width, 0, z1), (x - half_width, 0, z1)],
            np.float32), (0, 0, 0), ROAD))

    def shade_upright(self, x: float, z: float, half_width: float, height: float, base: float = 0.0) -> None:
        """The shadow in the sun of something upright, from `base` to `height` metres above the ground."""
        if self.sun is None:
            return
        (x0, z0), (x1, z1) = ((x + self.sun[0] * h, z + self.sun[1] * h) for h in (base, height))
        self._shadow.append((np.array([
            (x0 - half_width, 0, z0), (x0 + half_width, 0, z0), (x1 + half_width, 0, z1), (x1 - half_width, 0, z1)],
            np.float32), (0, 0, 0), ROAD))

    def shade_wall(self, x: float, z0: float, z1: float, height: float) -> None:
        """The shadow in the sun of a wall along the street."""
        if self.sun is None:
            return
        dx, dz = self.sun[0] * height, self.sun[1] * height
        self._shadow.append((np.array([
            (x, 0, z0), (x, 0, z1), (x + dx, 0, z1 + dz), (x + dx, 0, z0 + dz)], np.float32), (0, 0, 0), ROAD))

    def finish(self) -> Thing:
        """Everything recorded."""
        return Thing(_pack(self._solid), _pack(self._shadow))


def _ellipse(center: Point, radius_x: float, radius_y: float, sides: int) -> np.ndarray:
    angles = np.arange(sides) * (2 * np.pi / sides)
    return np.stack([center[0] + radius_x * np.cos(angles), center[1] + radius_y * np.sin(angles),
                     np.full(sides, center[2])], 1).astype(np.float32)


def _pack(polygons: 'list[tuple[np.ndarray, Point, int]]') -> Polygons:
    if not polygons:
        return Polygons(np.empty((0, 3), np.float32), np.empty(0, np.intp), np.empty((0, 3), np.float32),
                        np.empty(0, np.float32))
    return Polygons(
        np.concatenate([points for points, _, _ in polygons]),
        np.array([len(points) for points, _, _ in polygons], np.intp),
        np.array([color for _, color, _ in polygons], np.float32),
        np.array([label for _, _, label in polygons], np.float32))
