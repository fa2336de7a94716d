"""Cars, vans and bicycles."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street_classes import BICYCLIST, CAR
from fanet_ros.sources.street_sketch import Sketch

PAINTS = ((160, 25, 25), (30, 45, 110), (192, 192, 195), (35, 35, 38), (228, 228, 224), (70, 85, 75), (110, 115, 122),
          (95, 20, 30), (60, 90, 140))
GLASS = (46, 54, 64)
TYRE = (24, 24, 25)


def car(sketch: Sketch, x: float, rng: np.random.Generator, *, facing: bool, lit: bool) -> None:
    """A car or van from z 0 to its length, seen from behind, or from the front if it is `facing` the camera."""
    is_van = rng.random() < 0.15
    paint = np.array(PAINTS[rng.integers(len(PAINTS))]) * rng.uniform(0.85, 1.1)
    half, length = rng.uniform(0.8, 0.92) + 0.1 * is_van, rng.uniform(3.7, 4.7) + 0.9 * is_van
    height = rng.uniform(2.1, 2.5) if is_van else rng.uniform(1.38, 1.75)
    waist = 1.15 if is_van else rng.uniform(0.85, 0.98)
    sketch.shade_under(x, -0.25, length + 0.2, half + 0.12)
    sketch.shade_upright(x, length / 2, half + 1.0, height)
    flank = x - np.sign(x) * half if x else x
    # The nearer end is the tail, or the bonnet of a car that comes.
    low_end, high_end = (1.2, 0.35) if facing and not is_van else (0.25, 1.3)
    roof = x + (flank - x) * 0.8        # the cabin narrows upwards
    sketch.polygon([(flank, 0.25, 0), (flank, 0.25, length), (flank, waist, length), (roof, height, length - high_end),
                    (roof, height, low_end + 0.4), (flank, waist, low_end * 0.5), (flank, waist, 0)], paint * 0.8, CAR)
    sketch.polygon([(flank, waist, low_end + 0.1), (flank, waist, length - high_end + 0.1),
                    (roof, height - 0.1, length - high_end - 0.2), (roof, height - 0.1, low_end + 0.6)], GLASS, CAR)
    sketch.polygon([(flank, waist, length * 0.5 - 0.05), (flank, waist, length * 0.5 + 0.05),
                    (roof, height - 0.1, length * 0.5 + 0.05), (roof, height - 0.1, length * 0.5 - 0.05)], paint * 0.7, CAR)
    for wheel in (0.75, length - 0.8):
        _wheel(sketch, flank, wheel)
    sketch.polygon([(x - half, waist, 0), (x + half, waist, 0), (x + half, waist, low_end * 0.5),
                    (x - half, waist, low_end * 0.5)], paint * 1.05, CAR)
    sketch.upright(x - half, x + half, 0.22, waist, 0, paint, CAR)
    screen = [(x - half, waist, low_end * 0.5), (x + half, waist, low_end * 0.5), (x + half * 0.8, height, low_end + 0.4),
              (x - half * 0.8, height, low_end + 0.4)]
    sketch.polygon(screen, paint * 0.92, CAR)
    inner = np.array(screen, float)
    inner[:, 0] = x + (inner[:, 0] - x) * 0.86
    inner[2:, 1] -= 0.09
    sketch.polygon(inner, np.array(GLASS) * rng.uniform(0.8, 1.4), CAR)
    sketch.upright(x - half * 0.98, x + half * 0.98, 0.24, 0.42, 0, paint * 0.55, CAR)
    lamp = (250, 246, 225) if facing else (205, 30, 30)
    for at in (-1, 1):
        sketch.upright(x + at * (half - 0.12) - 0.12, x + at * (half - 0.12) + 0.12, 0.6, 0.8, 0,
                       lamp if lit or not facing else (205, 208, 210), CAR, glows=lit)
        sketch.upright(x + at * (half - 0.22) - 0.13, x + at * (half - 0.22) + 0.13, 0.0, 0.28, 0, TYRE, CAR)
    sketch.upright(x - 0.26, x + 0.26, 0.46, 0.58, 0, (235, 235, 230) if facing else (230, 205, 60), CAR)


def _wheel(sketch: Sketch, x: float, z: float) -> None:
    for radius, color in ((0.32, TYRE), (0.19, (150, 152, 155))):
        angles = np.arange(10) * (2 * np.pi / 10)
        sketch.polygon([(x, 0.32 + radius * np.sin(a), z + radius * np.cos(a)) for a in angles], color, CAR)


def bicycle(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A bicycle that leans or is ridden, seen from the side; one metre between the hubs."""
    color = rng.uniform(30, 190, 3)
    for hub in (-0.52, 0.52):
        sketch.ring((x + hub, 0.34, 0), 0.34, 0.07, (28, 28, 30), BICYCLIST)
    rear, pedal, seat, head, front = (-0.52, 0.34), (-0.08, 0.3), (-0.22, 0.85), (0.36, 0.88), (0.52, 0.34)
    for (x0, y0), (x1, y1) in ((rear, pedal), (rear, seat), (pedal, seat), (pedal, head), (seat, head), (head, front)):
        bar(sketch, (x + x0, y0), (x + x1, y1), 0.05, color, BICYCLIST)
    sketch.upright(x - 0.34, x - 0.1, 0.86, 0.93, 0, (30, 30, 30), BICYCLIST)
    sketch.upright(x + 0.3, x + 0.5, 0.98, 1.03, 0, (40, 40, 40), BICYCLIST)


def bar(sketch: Sketch, start: 'tuple[float, float]', end: 'tuple[float, float]', thickness: float, color: np.ndarray,
        label: int) -> None:
    """A straight limb or tube between two (x, y) points, facing the camera."""
    a, b = np.array(start, float), np.array(end, float)
    across = np.array([a[1] - b[1], b[0] - a[0]])
    across *= thickness / 2 / max(float(np.hypot(*across)), 1e-6)
    sketch.polygon([(*(a + across), 0), (*(a - across), 0), (*(b - across), 0), (*(b + across), 0)], color, label)
