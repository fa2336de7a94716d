# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Houses, and the boundaries of their plots: walls, railings, fences."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street.classes import BUILDING, FENCE
from fanet_ros.sources.street.facades import Facade
from fanet_ros.sources.street.sketch import Sketch
from fanet_ros.sources.street.texture import NOTHING, OPAQUE, SEEN_THROUGH, Texture, grain
from fanet_ros.sources.street.weather import Weather

ROOFS = ((104, 76, 64), (78, 76, 80), (122, 92, 76), (92, 88, 86))
DEPTH_M = 10.0


def building(sketch: Sketch, facade: Facade, side: float, x: float, weather: Weather, rng: np.random.Generator) -> None:
    """A house on the left (side -1) or right (1), its front at |x| along the street from z 0 to the facade's length."""
    height, length, back = facade.height_m, facade.length_m, x + side * DEPTH_M
    sketch.shade_wall(x, length, height)
    sketch.textured([(x, 0, 0), (back, 0, 0), (back, height, 0), (x, height, 0)], facade.gable)
    roof = np.array(ROOFS[rng.integers(len(ROOFS))]) * rng.uniform(0.8, 1.1)
    if facade.is_flat:
        sketch.along(x - side * 0.1, height, height + 0.35, 0, length, facade.color * 0.85, BUILDING)
    else:
        ridge = rng.uniform(2.4, 4.0)
        sketch.polygon([(x, height, 0), (back, height, 0), (x + side * DEPTH_M / 2, height + ridge, 0)],
                       facade.color * 0.8, BUILDING)
        for low, high, tone in ((0.0, 0.5, 0.92), (0.5, 1.0, 1.0)):
            x0, x1 = x + side * (DEPTH_M / 2 * low - 0.15), x + side * DEPTH_M / 2 * high
            y0, y1 = height + ridge * low, height + ridge * high
            sketch.polygon([(x0, y0, 0), (x0, y0, length), (x1, y1, length), (x1, y1, 0)],
                           roof * tone * weather.tone(-side * 0.7), BUILDING)
        if rng.random() < 0.7:
            at, stack = rng.uniform(0.1, 0.8) * length, x + side * (DEPTH_M / 2 - 0.6)
            low, high = height + ridge - 0.8, height + ridge + 1.4
            sketch.polygon([(stack, low, at), (stack + side, low, at), (stack + side, high, at), (stack, high, at)],
                           facade.color * 0.64, BUILDING)
            sketch.along(stack, low, high, at, at + 0.8, facade.color * 0.85, BUILDING)
        sketch.along(x - side * 0.15, height - 0.1, height + 0.05, 0, length, roof * 0.55, BUILDING)
    sketch.wall(facade.front, x, length, height)


class Boundary:
    """A low wall, a railing or a board fence, `length_m` along the pavement."""

    def __init__(self, kind: str, length_m: float, light: float, rng: np.random.Generator) -> None:
        self.kind, self.length_m = kind, length_m
        self.height_m = rng.uniform(0.9, 1.3) if kind == 'railing' else rng.uniform(0.7, 1.8)
        height, width = int(self.height_m * 32), int(length_m * 32)
        cover = None
        if kind == 'boards':
            image = np.array((122, 96, 70)) * rng.uniform(0.7, 1.15) * grain(rng, height, width, 0.06, 0.05)
            image *= rng.normal(1, 0.09, width // 5 + 1).repeat(5)[None, :width, None]
            image[:, ::5] *= 0.6
        elif kind == 'railing':
            metal = ((40, 42, 42), (70, 78, 70), (150, 152, 150))[rng.integers(3)]
            image = np.ones((height, width, 3)) * np.array(metal)
            cover = np.full((height, width), SEEN_THROUGH, np.uint8)
            cover[:3], cover[-8:-5] = OPAQUE, OPAQUE
            for at in range(0, width, 5):
                cover[:, at:at + 2] = OPAQUE
            cover[-2:, ::3] = NOTHING
        else:
            image = np.array((150, 98, 76)) * rng.uniform(0.75, 1.1) * grain(rng, height, width, 0.07, 0.06, 0.05)
            image[::3] *= 0.88
            image[:4] = image[:4] * 0.5 + 80
        # CamVid labels brick walls as building.
        self.texture = Texture(image * light, BUILDING if kind == 'wall' else FENCE, cover)


def boundary(sketch: Sketch, kind: Boundary, x: float) -> None:
    """Place it at x, starting at z 0."""
    if kind.kind != 'railing':
        sketch.shade_wall(x, kind.length_m, kind.height_m)
    sketch.wall(kind.texture, x, kind.length_m, kind.height_m)
