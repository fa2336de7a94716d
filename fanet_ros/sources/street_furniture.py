"""Trees, posts, signs and lights at the edge of the street."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street_classes import POLE, SIGN, TREE
from fanet_ros.sources.street_sketch import Sketch

GREENS = ((60, 85, 40), (82, 96, 46), (50, 70, 40), (105, 98, 52), (70, 78, 50))


def tree(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A broad, a slender or a bare tree: a trunk with a crown of overlapping clumps of leaves."""
    kind = rng.choice(3, p=(0.65, 0.2, 0.15))
    height = rng.uniform(5, 11)
    bark = np.array((82, 70, 56)) * rng.uniform(0.7, 1.2)
    sketch.shade_upright(x, 0, 0.2, height * 0.5)
    sketch.polygon([(x - 0.2, 0, 0), (x + 0.2, 0, 0), (x + 0.1, height * 0.7, 0), (x - 0.1, height * 0.7, 0)], bark, TREE)
    if kind == 2:
        for _ in range(16):
            y, reach, rise = rng.uniform(0.35, 0.75) * height, rng.uniform(-2.2, 2.2), rng.uniform(0.8, 2.6)
            sketch.polygon([(x, y, 0), (x, y + 0.18, 0), (x + reach, y + rise, 0)], bark * rng.uniform(0.8, 1.2), TREE)
        return
    radius_x = rng.uniform(1.6, 3.2) if kind == 0 else rng.uniform(0.7, 1.2)
    radius_y = radius_x * rng.uniform(0.8, 1.1) if kind == 0 else height * 0.4
    middle = max(height - radius_y, radius_y + 1.8)
    green = np.array(GREENS[rng.integers(len(GREENS))]) * rng.uniform(0.85, 1.1)
    sketch.shade_upright(x, 0, radius_x * 0.85, middle + 0.7 * radius_y, middle - 0.7 * radius_y)
    sketch.ellipse((x, middle, 0), radius_x * 0.8, radius_y * 0.85, green * 0.72, TREE)
    clumps = []
    for _ in range(44):
        angle, distance = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        clumps.append((np.sin(angle) * distance, np.cos(angle) * distance, rng.uniform(0.12, 0.32), rng.uniform(0.62, 1.15)))
    for up, across, size, tone in sorted(clumps):       # lit from above: the upper ones are brighter and in front
        sketch.ellipse((x + across * radius_x, middle + up * radius_y, 0), size * radius_x, size * radius_x,
                       green * (tone + 0.22 * up), TREE, sides=8)


def lamp_post(sketch: Sketch, x: float, rng: np.random.Generator, *, lit: bool) -> None:
    """A lamp post whose arm reaches over the road."""
    grey, height, half = np.array((98, 101, 98)) * rng.uniform(0.5, 1.3), rng.uniform(5, 8.5), rng.uniform(0.07, 0.12)
    sketch.shade_upright(x, 0, half, height)
    sketch.upright(x - half, x + half, 0, height, 0, grey, POLE)
    reach = x - np.sign(x) * rng.uniform(0.8, 1.9)
    sketch.upright(min(x, reach), max(x, reach), height - 0.1, height, 0, grey, POLE)
    sketch.upright(reach - 0.25, reach + 0.25, height - 0.18, height, 0, (255, 225, 160) if lit else grey * 1.2, POLE,
                   glows=lit)


def bollard(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A low post at the kerb."""
    sketch.upright(x - 0.08, x + 0.08, 0, rng.uniform(0.8, 1.1), 0, (50, 50, 52), POLE)
    sketch.upright(x - 0.08, x + 0.08, 0.65, 0.75, 0, (215, 215, 205), POLE)


def sign(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A round, triangular or rectangular traffic sign on a thin pole."""
    height = rng.uniform(2.1, 2.9)
    sketch.shade_upright(x, 0, 0.05, height)
    sketch.upright(x - 0.05, x + 0.05, 0, height, 0, (115, 117, 117), POLE)
    kind, size, white = rng.integers(4), rng.uniform(0.3, 0.55), (232, 232, 226)
    red, blue = (195, 35, 38), (35, 70, 175)
    if kind == 0:
        sketch.ellipse((x, height, 0), size, size, red, SIGN)
        sketch.ellipse((x, height, 0), size * 0.72, size * 0.72, white, SIGN)
        sketch.upright(x - size * 0.3, x + size * 0.3, height - size * 0.3, height + size * 0.3, 0, (40, 40, 40), SIGN)
    elif kind == 1:
        for share, color in ((1.0, red), (0.66, white)):
            side = size * share
            sketch.polygon([(x - side, height - side * 0.6, 0), (x + side, height - side * 0.6, 0),
                            (x, height + side * 1.15, 0)], color, SIGN)
    elif kind == 2:
        sketch.ellipse((x, height, 0), size, size, blue, SIGN)
        sketch.polygon([(x - 0.05, height - size * 0.6, 0), (x + 0.05, height - size * 0.6, 0),
                        (x + size * 0.5, height + size * 0.4, 0), (x + size * 0.3, height + size * 0.5, 0)], white, SIGN)
    else:
        face = [(225, 225, 220), (230, 190, 45), (30, 95, 60), blue][rng.integers(4)]
        half = size * rng.uniform(1.0, 1.9)
        sketch.upright(x - half, x + half, height - size, height + size * 0.5, 0, face, SIGN)
        for line in (-0.7, -0.25):
            sketch.upright(x - half * 0.7, x + half * 0.6, height + line * size, height + (line + 0.2) * size, 0,
                           (60, 60, 60) if sum(face) > 400 else white, SIGN)


def traffic_light(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A traffic light on its pole; one of three lamps burns."""
    sketch.shade_upright(x, 0, 0.08, 3.2)
    sketch.upright(x - 0.06, x + 0.06, 0, 3.2, 0, (60, 62, 62), POLE)
    sketch.upright(x - 0.2, x + 0.2, 2.3, 3.3, 0, (28, 28, 30), SIGN)
    burning = rng.integers(3)
    for lamp, color in enumerate(((60, 230, 120), (250, 180, 50), (240, 50, 40))):
        tone = np.array(color) * (1.0 if lamp == burning else 0.25)
        sketch.ellipse((x, 2.48 + 0.32 * lamp, 0), 0.11, 0.11, tone, SIGN, sides=8)
