"""Houses, walls and what closes the view beside the street."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street_classes import BUILDING, FENCE, TREE
from fanet_ros.sources.street_sketch import Sketch

WALLS = ((150, 95, 75), (135, 85, 65), (178, 162, 132), (196, 186, 160), (122, 112, 106), (190, 186, 178), (205, 200, 190),
         (160, 130, 100))
ROOFS = ((95, 70, 60), (75, 72, 75), (110, 85, 70))
GLASS = (58, 66, 80)
WARM = (255, 214, 140)


def building(sketch: Sketch, side: float, x: float, length: float, rng: np.random.Generator, *, lit: bool) -> None:
    """A house on the left (side -1) or right (1), its front at |x| along the street from z 0 to `length`."""
    storeys, storey = int(rng.integers(2, 6)), rng.uniform(2.6, 3.3)
    height = storeys * storey + 0.6
    wall = np.array(WALLS[rng.integers(len(WALLS))]) * rng.uniform(0.75, 1.1)
    front = wall * rng.uniform(0.8, 1.0)
    sketch.shade_wall(x, 0, length, height)
    sketch.polygon([(x, 0, 0), (x + side * 10, 0, 0), (x + side * 10, height, 0), (x, height, 0)], wall * 0.72, BUILDING)
    roof = np.array(ROOFS[rng.integers(len(ROOFS))])
    if rng.random() < 0.6:      # pitched: the slope that faces the street, and the gable
        sketch.polygon([(x, height, 0), (x + side * 10, height, 0), (x + side * 5, height + 3.2, 0)], wall * 0.72, BUILDING)
        sketch.polygon([(x - side * 0.3, height, 0), (x - side * 0.3, height, length), (x + side * 5, height + 3.2, length),
                        (x + side * 5, height + 3.2, 0)], roof, BUILDING)
        if rng.random() < 0.6:
            at = rng.uniform(0.2, 0.7) * length
            sketch.along(x + side * 3, height + 1.5, height + 4.3, at, at + 1.1, wall * 0.9, BUILDING)
    sketch.along(x, 0, height, 0, length, front, BUILDING)
    for _ in range(5):          # stains and mended places: no wall is of one colour
        z0, y0 = rng.uniform(0, length - 1), rng.uniform(0, height - 1)
        sketch.along(x, y0, min(y0 + rng.uniform(0.4, 2.5), height), z0, min(z0 + rng.uniform(0.5, 4), length),
                     front * rng.uniform(0.9, 1.08), BUILDING)
    shop = rng.random() < 0.35
    base = storey if shop else 0.0
    sketch.along(x, 0, 0.45, 0, length, front * 0.75, BUILDING)
    if shop:
        sign = rng.uniform(30, 220, 3)
        sketch.along(x, storey - 0.75, storey - 0.15, 0.3, length - 0.3, sign, BUILDING, glows=lit)
        _window(sketch, x, 0.5, storey - 0.9, 0.6, length - 1.8, rng, lit=lit)
    _door(sketch, x, length, rng)
    width, gap, tall = rng.uniform(0.9, 1.6), rng.uniform(1.9, 3.0), rng.uniform(1.2, 1.7)
    frame = np.array((225, 222, 214)) if rng.random() < 0.7 else front * 0.6
    for level in np.arange(base + 0.9, height - 1.5, storey):
        for z in np.arange(0.7, length - width, gap):
            if not shop and level < 1 and z > length - 2.2:
                continue        # the door is there
            sketch.along(x, level - 0.08, level + tall + 0.08, z - 0.08, z + width + 0.08, frame, BUILDING)
            _window(sketch, x, level, level + tall, z, z + width, rng, lit=lit)
    sketch.along(x, height - 0.3, height, 0, length, front * 1.12, BUILDING)


def _window(sketch: Sketch, x: float, y0: float, y1: float, z0: float, z1: float, rng: np.random.Generator, *,
            lit: bool) -> None:
    glows = lit and rng.random() < 0.35
    color = np.array(WARM if glows else GLASS) * rng.uniform(0.6, 1.7 if not glows else 1.0)
    sketch.along(x, y0, y1, z0, z1, color, BUILDING, glows=glows)


def _door(sketch: Sketch, x: float, length: float, rng: np.random.Generator) -> None:
    color = np.array([(90, 30, 30), (30, 60, 40), (35, 45, 80), (60, 45, 35), (200, 200, 195)][rng.integers(5)])
    sketch.along(x, 0, 2.2, length - 1.6, length - 0.6, color, BUILDING)


def fence(sketch: Sketch, x: float, length: float, rng: np.random.Generator) -> None:
    """A wall, railings or boards along the pavement."""
    kind, height = rng.integers(3), rng.uniform(0.9, 1.7)
    tone = np.array([(140, 85, 65), (58, 62, 60), (105, 85, 65)][kind]) * rng.uniform(0.8, 1.2)
    sketch.shade_wall(x, 0, length, height)
    if kind == 1:       # railings are seen through, yet their class fills the area, as in hand-made labels
        sketch.along(x, 0, height, 0, length, (105, 108, 98), FENCE)
        for z in np.arange(0, length, 0.45):
            sketch.along(x, 0, height, z, z + 0.1, tone, FENCE)
        sketch.along(x, height - 0.1, height, 0, length, tone, FENCE)
        return
    sketch.along(x, 0, height, 0, length, tone, FENCE)
    for z in np.arange(0, length, 1.1 if kind == 2 else 2.6):
        sketch.along(x, 0, height, z, z + (0.06 if kind == 2 else 0.35), tone * rng.uniform(0.75, 0.9), FENCE)
    sketch.along(x, height - 0.12, height, 0, length, tone * 1.15, FENCE)


def hedge(sketch: Sketch, side: float, x: float, length: float, rng: np.random.Generator) -> None:
    """A clipped hedge along the pavement, two metres deep."""
    green, height = np.array((62, 82, 44)) * rng.uniform(0.8, 1.2), rng.uniform(1.0, 2.4)
    sketch.shade_wall(x, 0, length, height)
    sketch.upright(*sorted((x, x + side * 2)), 0, height, 0, green * 0.8, TREE)
    sketch.along(x, 0, height, 0, length, green, TREE)
    for _ in range(26):
        z, y = rng.uniform(0, length - 0.6), rng.uniform(0, height - 0.3)
        sketch.along(x, y, y + rng.uniform(0.15, 0.4), z, z + rng.uniform(0.2, 0.7), green * rng.uniform(0.7, 1.25), TREE)
