"""People on foot and on bicycles, in the attitudes of one step."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street_classes import BICYCLIST, PEDESTRIAN
from fanet_ros.sources.street_sketch import Sketch
from fanet_ros.sources.street_vehicles import bar, bicycle

SKINS = ((200, 160, 135), (175, 130, 105), (120, 85, 65), (90, 62, 50))
ATTITUDES = 8       # in one double step, or one turn of the pedals


def pedestrian(sketch: Sketch, x: float, rng: np.random.Generator, attitude: int) -> None:
    """Somebody who walks; legs and arms swing against each other."""
    coat, legs = rng.uniform(20, 210, 3), rng.uniform(20, 110, 3)
    skin, size = np.array(SKINS[rng.integers(len(SKINS))]), rng.uniform(0.86, 1.08)
    swing = 0.26 * np.sin(2 * np.pi * attitude / ATTITUDES)
    sketch.shade_under(x, -0.25, 0.3, 0.3)
    sketch.shade_upright(x, 0, 0.25, 1.7 * size)
    hip, shoulder = 0.88 * size, 1.42 * size
    for side, tone in ((-1, 0.75), (1, 1.0)):
        bar(sketch, (x + 0.06 * side, hip), (x + 0.08 * side + side * swing, 0.05), 0.16 * size, legs * tone, PEDESTRIAN)
        foot = x + 0.08 * side + side * swing
        sketch.upright(foot - 0.07, foot + 0.12, 0, 0.08, 0, (35, 32, 30), PEDESTRIAN)
    for side, tone in ((-1, 0.8), (1, 0.95)):
        bar(sketch, (x + 0.2 * side, shoulder - 0.04), (x + 0.24 * side - side * swing * 0.8, 0.82 * size), 0.1, coat * tone,
            PEDESTRIAN)
    sketch.polygon([(x - 0.17, hip - 0.08, 0), (x + 0.17, hip - 0.08, 0), (x + 0.23, shoulder, 0), (x + 0.1, shoulder + 0.08, 0),
                    (x - 0.1, shoulder + 0.08, 0), (x - 0.23, shoulder, 0)], coat, PEDESTRIAN)
    sketch.ellipse((x, 1.6 * size, 0), 0.105, 0.14, skin, PEDESTRIAN, sides=8)
    hair = np.array([(40, 30, 25), (95, 70, 45), (150, 145, 140), (25, 25, 28)][rng.integers(4)])
    sketch.polygon([(x - 0.11, 1.62 * size, 0), (x + 0.11, 1.62 * size, 0), (x + 0.08, 1.76 * size, 0),
                    (x - 0.08, 1.76 * size, 0)], hair, PEDESTRIAN)
    if rng.random() < 0.3:
        sketch.upright(x - 0.34, x - 0.2, 0.75 * size, 1.1 * size, 0, rng.uniform(20, 160, 3), PEDESTRIAN)


def bicyclist(sketch: Sketch, x: float, rng: np.random.Generator, attitude: int) -> None:
    """Somebody who rides a bicycle, seen at an angle."""
    coat, trousers = rng.uniform(40, 230, 3), rng.uniform(20, 90, 3)
    skin = np.array(SKINS[rng.integers(len(SKINS))])
    sketch.shade_under(x, -0.2, 0.3, 0.7)
    sketch.shade_upright(x, 0, 0.5, 1.7)
    bicycle(sketch, x, rng)
    turn = 2 * np.pi * attitude / ATTITUDES
    for phase, tone in ((np.pi, 0.7), (0.0, 1.0)):
        foot = (x - 0.08 + 0.17 * np.cos(turn + phase), 0.3 + 0.17 * np.sin(turn + phase))
        knee = (x + 0.16 + 0.06 * np.cos(turn + phase), 0.68 + 0.1 * np.sin(turn + phase))
        bar(sketch, (x - 0.2, 0.95), knee, 0.16, trousers * tone, BICYCLIST)
        bar(sketch, knee, foot, 0.12, trousers * tone, BICYCLIST)
    sketch.polygon([(x - 0.32, 0.92, 0), (x - 0.06, 0.9, 0), (x + 0.24, 1.42, 0), (x - 0.02, 1.5, 0)], coat, BICYCLIST)
    bar(sketch, (x + 0.14, 1.4), (x + 0.38, 1.03), 0.1, coat * 0.85, BICYCLIST)
    sketch.ellipse((x + 0.16, 1.62, 0), 0.11, 0.14, skin, BICYCLIST, sides=8)
    if rng.random() < 0.6:
        sketch.polygon([(x + 0.03, 1.65, 0), (x + 0.29, 1.65, 0), (x + 0.22, 1.79, 0), (x + 0.08, 1.79, 0)],
                       rng.uniform(40, 240, 3), BICYCLIST)
