# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Occasional road markings and surfaces: crossings, manholes, patches, side streets."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street.classes import PAVEMENT, ROAD
from fanet_ros.sources.street.ground import WHITE, YELLOW
from fanet_ros.sources.street.sketch import Point, Sketch


def rectangle(sketch: Sketch, x0: float, x1: float, z0: float, z1: float, color: Point, label: int = ROAD) -> None:
    """A rectangle on the ground."""
    sketch.polygon([(x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1)], color, label)


def zebra(sketch: Sketch, road_half_m: float) -> None:
    """A zebra crossing, three metres along the street."""
    for x in np.arange(-road_half_m + 0.3, road_half_m - 0.5, 1.2).tolist():
        rectangle(sketch, x, x + 0.6, 0, 3, WHITE)


def stop_line(sketch: Sketch, road_half_m: float) -> None:
    """The line where the left lane stops at a traffic light."""
    rectangle(sketch, -road_half_m + 0.3, -0.1, 0, 0.3, WHITE)


def manhole(sketch: Sketch, x: float, asphalt: np.ndarray) -> None:
    """A round iron manhole cover."""
    angles = np.arange(12) * (2 * np.pi / 12)
    for radius, tone in ((0.38, 0.72), (0.31, 0.52)):
        sketch.polygon([(x + radius * np.cos(a), 0, radius * np.sin(a)) for a in angles], asphalt * tone, ROAD)


def patch(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A repaired patch of road: darker, with the grain of the asphalt."""
    sketch.shade_under(x, 0, rng.uniform(1, 7), rng.uniform(0.3, 1.2), rng.uniform(20, 60))


def arrow(sketch: Sketch, x: float) -> None:
    """An arrow pointing ahead."""
    sketch.polygon([(x - 0.08, 0, 0), (x + 0.08, 0, 0), (x + 0.08, 0, 3), (x + 0.35, 0, 3), (x, 0, 5), (x - 0.35, 0, 3),
                    (x - 0.08, 0, 3)], WHITE, ROAD)


def box(sketch: Sketch, road_half_m: float, length_m: float) -> None:
    """A box junction, to be kept clear: crossed yellow lines."""
    for start in np.arange(0.0, length_m, 1.6).tolist():
        for way in (-1, 1):
            far = min(start + 2 * road_half_m, length_m)
            reach = way * (-road_half_m + (far - start))
            sketch.polygon([(-way * road_half_m, 0, start), (-way * road_half_m, 0, start + 0.2), (reach, 0, far),
                            (reach - way * 0.15, 0, far)], YELLOW, ROAD)


def side_street(sketch: Sketch, side: float, road_half_m: float, wall_m: float, length_m: float,
                asphalt: np.ndarray, paving: np.ndarray) -> None:
    """A side street as wide as the plot is long."""
    inner, outer = side * (road_half_m - 0.02), side * 45
    for near, begin, end, color, label in ((side * wall_m, 0.0, length_m, paving * 0.95, PAVEMENT),
                                           (inner, 1.2, length_m - 1.2, asphalt, ROAD)):
        left, right = sorted((near, outer))
        rectangle(sketch, left, right, begin, end, color, label)
    for offset in (0.0, 0.45):                                                      # give-way line
        x = side * (road_half_m + 0.35 + offset)
        for z in np.arange(1.6, length_m / 2, 0.9).tolist():
            rectangle(sketch, x - 0.1, x + 0.1, z, z + 0.6, WHITE)
