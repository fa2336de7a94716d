# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Moving traffic: endless lanes of constant speed, so that any point in time can be computed directly."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

import numpy as np

from fanet_ros.sources.street import looks as looks_
from fanet_ros.sources.street import people, vehicles
from fanet_ros.sources.street.character import Character
from fanet_ros.sources.street.looks import Looks
from fanet_ros.sources.street.plot import Placed, Standing
from fanet_ros.sources.street.sketch import Thing

STEP_M, TURN_M = 1.45, 4.6          # covered by a double step, by one turn of the pedals
NEARBY_M = 14.0                     # beyond it, half as many attitudes: fewer textures to paint


@dataclass(frozen=True)
class Lane:
    """People or cars between x0 and x1 [m] at speed_mps along the street: one per spacing_m with probability `chance`."""

    number: int
    kind: str
    x0: float
    x1: float
    speed_mps: float
    spacing_m: float
    chance: float


class Traffic:
    """All lanes of one street. own_x_m and own_mps: position and speed of the car with the camera."""

    def __init__(self, seed: int, character: Character, looks: Looks, own_x_m: float, own_mps: float,
                 rng: np.random.Generator) -> None:
        self._seed, self._looks, self._own_x_m = seed, looks, own_x_m
        half, wall, crowd = character.road_half_m, character.wall_m, character.crowd
        free = half - (2.05 if 1 in character.parking_sides else 0.0)
        self._lanes = [Lane(0, 'car', free * 0.5, free * 0.5, -rng.uniform(5, 12), 16.0, 0.25 * crowd)]
        if rng.random() < 0.6:      # cars ahead drive at our speed, or we would drive through them
            self._lanes.append(Lane(1, 'car', own_x_m, own_x_m, own_mps, 15.0, 0.4))
        self._lead_m = rng.uniform(9, 30)
        inner, outer = half + 0.8 + character.verge_m * 0.5, wall - 0.5
        for side in (-1, 1):
            for way in (-1, 1):
                x0, x1 = sorted((side * inner, side * outer))
                self._lanes.append(Lane(3 + 2 * side + way, 'pedestrian', x0, x1, way * rng.uniform(1.0, 1.6), 7.0,
                                        min(0.4 * crowd, 0.8)))
        if -1 not in character.parking_sides or half > 5.6:
            edge = half - 0.7 - (2.05 if -1 in character.parking_sides else 0.0)
            self._lanes.append(Lane(7, 'bicyclist', -edge - 0.2, -edge, rng.uniform(3.2, 5.5), 14.0, 0.3 * crowd))
        edge = free - 0.6
        self._lanes.append(Lane(8, 'bicyclist', edge, edge + 0.25, -rng.uniform(3.2, 5.5), 14.0, 0.28 * crowd))
        self._drawn: dict[tuple[int, int], np.ndarray] = {}
        self._cars: dict[tuple[int, float, bool], Thing] = {}

    def cars(self, time_s: float, travelled_m: float, behind_m: float, ahead_m: float) -> Iterator[Placed]:
        """Moving vehicles, z from the camera."""
        for lane, draw, z, _ in self._movers(time_s, travelled_m, behind_m, ahead_m, 'car'):
            facing = lane.speed_mps < 0
            if not facing and z < self._lead_m:
                continue            # behind the camera, or within our safety distance
            is_bus = (draw[2] < 0.05 and lane.x0 > 0) or draw[2] < 0.03
            number = -1 if is_bus else int(draw[2] * 997) % looks_.CARS
            key = (number, lane.x0, facing)
            if key not in self._cars:
                sketch = self._looks.sketch()
                # Of oncoming cars the flank on the image's left is visible; of those ahead only the tail.
                flank = -1.0 if lane.x0 > self._own_x_m else 1.0
                vehicles.car(sketch, self._looks.car(number), lane.x0, flank, facing=facing)
                self._cars[key] = sketch.finish()
            yield Placed(self._cars[key], z, z)

    def people(self, time_s: float, travelled_m: float, ahead_m: float) -> Iterator[Standing]:
        """Moving pedestrians and bicyclists, z from the camera."""
        for kind in ('pedestrian', 'bicyclist'):
            for lane, draw, z, way_m in self._movers(time_s, travelled_m, 3.0, ahead_m, kind):
                share = way_m / (STEP_M if kind == 'pedestrian' else TURN_M) + draw[3]
                coarse = 1 if z < NEARBY_M else 2
                yield Standing(
                    kind, int(draw[2] * (looks_.WALKERS if kind == 'pedestrian' else looks_.RIDERS)),
                    float(lane.x0 + (lane.x1 - lane.x0) * draw[1]), z, 0.0 if lane.speed_mps > 0 else np.pi,
                    int(share * people.ATTITUDES) % people.ATTITUDES // coarse * coarse)

    def _movers(self, time_s: float, travelled_m: float, behind_m: float, ahead_m: float,
                kind: str) -> Iterator[tuple[Lane, np.ndarray, float, float]]:
        for lane in self._lanes:
            if lane.kind != kind:
                continue
            way_m = lane.speed_mps * time_s
            first, last = (int(np.floor((travelled_m - way_m + at) / lane.spacing_m)) for at in (-behind_m, ahead_m))
            for number in range(first - 1, last + 1):
                draw = self._draw(lane, number)
                if draw[0] < lane.chance:
                    # Neighbours stay at least a fifth of spacing_m apart.
                    z = (number + 0.8 * draw[4]) * lane.spacing_m + way_m - travelled_m
                    if z < ahead_m:
                        yield lane, draw, float(z), abs(way_m)

    def _draw(self, lane: Lane, number: int) -> np.ndarray:
        """(5,) random numbers 0..1 of one person or vehicle."""
        key = (lane.number, number)
        if key not in self._drawn:
            if len(self._drawn) > 4000:
                self._drawn.clear()
            self._drawn[key] = np.random.default_rng([self._seed, 50, lane.number, number + 1_000_000]).random(5)
        return self._drawn[key]
