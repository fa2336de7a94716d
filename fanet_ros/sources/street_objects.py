"""How each kind of thing in the synthetic street is drawn, at (x, z) metres on the ground.

Every function takes the canvas, the place and a generator that holds the thing's own look.
"""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street_canvas import Canvas

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)


def building(canvas: Canvas, side: float, x: float, z0: float, z1: float, rng: np.random.Generator,
             light: float) -> None:
    """A house on the left (side -1) or right (1) whose wall faces the street at |x|, from z0 to z1."""
    height, storey = rng.uniform(5, 15), rng.uniform(2.7, 3.4)
    hue = np.array([(150, 95, 75), (175, 160, 130), (120, 110, 105), (190, 185, 175), (140, 120, 95)][rng.integers(5)])
    wall = hue * rng.uniform(0.7, 1.1) * light
    canvas.paint([(x, 0, z0), (x + side * 9, 0, z0), (x + side * 9, height, z0), (x, height, z0)], wall * 0.75, BUILDING)
    canvas.paint([(x, 0, z0), (x, 0, z1), (x, height, z1), (x, height, z0)], wall, BUILDING)
    if z0 > 70:
        return
    glass = np.array([60, 70, 85]) * light * rng.uniform(0.6, 1.6)
    width, gap = rng.uniform(0.9, 1.5), rng.uniform(2.0, 3.2)
    for base in np.arange(0.9, height - 1.8, storey):
        for start in np.arange(z0 + 0.7, z1 - width, gap):
            canvas.paint([(x, base, start), (x, base, start + width), (x, base + 1.5, start + width),
                          (x, base + 1.5, start)], glass, BUILDING)


def tree(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float) -> None:
    """A trunk with a crown of overlapping leaf clumps."""
    height, radius = rng.uniform(4, 8), rng.uniform(1.3, 2.6)
    green = np.array([(60, 85, 40), (80, 95, 45), (50, 70, 40), (105, 95, 50)][rng.integers(4)]) * light
    canvas.upright(x - 0.16, x + 0.16, 0, height * 0.6, z, np.array([80, 65, 50]) * light, TREE)
    for _ in range(26 if z < 45 else 10):
        angle, distance = rng.uniform(0, 2 * np.pi), radius * np.sqrt(rng.uniform(0, 1))
        clump = radius * rng.uniform(0.18, 0.42)
        offset = np.sin(angle) * distance
        canvas.ellipse((x + np.cos(angle) * distance, height * 0.72 + offset, z), clump, clump,
                       green * (rng.uniform(0.6, 1.1) + 0.25 * offset / radius), TREE)


def pole(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float) -> None:
    """A lamp post whose arm reaches over the road."""
    grey, height = np.array([95, 98, 95]) * light * rng.uniform(0.5, 1.3), rng.uniform(5, 8)
    canvas.upright(x - 0.09, x + 0.09, 0, height, z, grey, POLE)
    reach = x - np.sign(x) * 1.4
    canvas.upright(min(x, reach), max(x, reach), height - 0.12, height, z, grey, POLE)


def sign(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float) -> None:
    """A round, triangular or rectangular traffic sign on a thin pole."""
    face = np.array([(200, 40, 40), (40, 70, 180), (220, 220, 215), (230, 190, 40)][rng.integers(4)]) * light
    canvas.upright(x - 0.05, x + 0.05, 0, 2.4, z, np.array([110, 110, 110]) * light, POLE)
    kind, size = rng.integers(3), rng.uniform(0.35, 0.6)
    if kind == 0:
        canvas.ellipse((x, 2.5, z - 0.01), size, size, face, SIGN)
        canvas.ellipse((x, 2.5, z - 0.02), size * 0.7, size * 0.7, np.array([230, 230, 225]) * light, SIGN)
    elif kind == 1:
        canvas.paint([(x - size, 2.1, z), (x + size, 2.1, z), (x, 2.1 + 1.8 * size, z)], face, SIGN)
    else:
        canvas.upright(x - size, x + size, 2.0, 2.0 + 1.6 * size, z, face, SIGN)


def fence(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float) -> None:
    """Eight metres of fence along the pavement."""
    tone = np.array([(90, 75, 60), (60, 65, 60), (130, 125, 115)][rng.integers(3)]) * light
    height = rng.uniform(0.9, 1.5)
    canvas.paint([(x, 0, z), (x, 0, z + 8), (x, height, z + 8), (x, height, z)], tone, FENCE)
    for start in np.arange(z, z + 8, 0.8 if z < 40 else 8):
        canvas.paint([(x, 0, start), (x, 0, start + 0.12), (x, height, start + 0.12), (x, height, start)], tone * 0.7,
                     FENCE)


def car(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float) -> None:
    """A car seen from behind, with the flank that faces the camera; 4.2 m long from z on."""
    paint = np.array([(160, 25, 25), (30, 45, 110), (190, 190, 190), (35, 35, 38), (225, 225, 220), (70, 85, 75)]
                     [rng.integers(6)]) * light
    half, height, length, glass = 0.85, rng.uniform(1.35, 1.75), 4.2, np.array([45, 52, 60]) * light
    canvas.paint([(x - 1, 0.01, z - 0.3), (x + 1, 0.01, z - 0.3), (x + 1, 0.01, z + length), (x - 1, 0.01, z + length)],
                 np.array([45, 45, 48]) * light, ROAD)
    flank = x - np.sign(x) * half if abs(x) > half else x
    canvas.paint([(flank, 0.2, z), (flank, 0.2, z + length), (flank, 0.85, z + length), (flank, height * 0.6, z + length - 1),
                  (flank, height, z + length - 1.8), (flank, height, z + 0.5), (flank, 0.9, z)], paint * 0.8, CAR)
    canvas.paint([(flank, 0.9, z + 0.5), (flank, 0.9, z + 2.8), (flank, height - 0.1, z + 2.3),
                  (flank, height - 0.1, z + 0.7)], glass, CAR)
    for wheel in (0.8, 3.4):
        canvas.paint([(flank, 0.3 + 0.3 * np.sin(a), z + wheel + 0.3 * np.cos(a)) for a in np.linspace(0, 5.5, 8)],
                     np.array([25, 25, 25]) * light, CAR)
    canvas.upright(x - half, x + half, 0.2, 0.95, z, paint, CAR)
    canvas.paint([(x - half, 0.95, z), (x + half, 0.95, z), (x + half * 0.8, height, z + 0.4),
                  (x - half * 0.8, height, z + 0.4)], paint * 0.9, CAR)
    canvas.paint([(x - half * 0.85, 1.0, z), (x + half * 0.85, 1.0, z), (x + half * 0.7, height - 0.08, z + 0.3),
                  (x - half * 0.7, height - 0.08, z + 0.3)], glass, CAR)
    for lamp in (-1, 1):
        canvas.upright(x + lamp * 0.8 - 0.09, x + lamp * 0.8 + 0.09, 0.65, 0.85, z - 0.01, (200, 30, 30), CAR)
        canvas.upright(x + lamp * 0.6 - 0.12, x + lamp * 0.6 + 0.12, 0.02, 0.3, z - 0.01, (22, 22, 22), CAR)


def pedestrian(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float, step: float) -> None:
    """A person, legs swinging with `step` (radians)."""
    coat, legs = rng.uniform(20, 200, 3) * light, rng.uniform(20, 100, 3) * light
    size, swing = rng.uniform(0.92, 1.08), 0.22 * np.sin(step)
    for side in (-1, 1):
        canvas.paint([(x - 0.09, 0.85 * size, z), (x + 0.09, 0.85 * size, z), (x + 0.08 + side * swing, 0, z),
                      (x - 0.08 + side * swing, 0, z)], legs, PEDESTRIAN)
    canvas.paint([(x - 0.2, 0.8 * size, z), (x + 0.2, 0.8 * size, z), (x + 0.24, 1.45 * size, z),
                  (x - 0.24, 1.45 * size, z)], coat, PEDESTRIAN)
    canvas.ellipse((x, 1.6 * size, z), 0.12, 0.15, np.array([190, 150, 125]) * light, PEDESTRIAN)


def bicyclist(canvas: Canvas, x: float, z: float, rng: np.random.Generator, light: float) -> None:
    """Somebody on a bicycle, seen at an angle."""
    coat, dark = rng.uniform(40, 220, 3) * light, np.array([30, 30, 32]) * light
    for wheel in (-0.35, 0.35):
        canvas.ellipse((x + wheel, 0.34, z), 0.25, 0.34, dark, BICYCLIST)
    canvas.paint([(x - 0.35, 0.35, z), (x + 0.35, 0.35, z), (x + 0.3, 0.9, z), (x - 0.15, 0.9, z)], dark * 1.6, BICYCLIST)
    canvas.paint([(x - 0.22, 0.5, z), (x + 0.02, 0.5, z), (x + 0.12, 1.0, z), (x - 0.2, 1.0, z)], dark * 2, BICYCLIST)
    canvas.paint([(x - 0.22, 0.95, z), (x + 0.14, 0.95, z), (x + 0.3, 1.5, z), (x - 0.05, 1.55, z)], coat, BICYCLIST)
    canvas.ellipse((x + 0.14, 1.68, z), 0.12, 0.15, np.array([190, 150, 125]) * light, BICYCLIST)
