# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One side of CELL_M metres of street: its contents depend only on seed, cell and side, and are sketched once."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional

import numpy as np

from fanet_ros.sources.street import buildings, furniture, marks, plants, vehicles
from fanet_ros.sources.street import looks as looks_
from fanet_ros.sources.street.character import Character
from fanet_ros.sources.street.looks import CELL_M, RAILING_M, Looks
from fanet_ros.sources.street.sketch import Sketch, Thing
from fanet_ros.sources.street.weather import Weather


@dataclass(frozen=True)
class Placed:
    """A thing, the z of its origin [m], and `behind` [m], which orders painting: larger values first."""

    thing: Thing
    z: float
    behind: float
    height_m: float = 99.0      # things that are too small at their distance are left out


@dataclass(frozen=True)
class Standing:
    """A person or bicycle, which looks different from each side: arguments of Looks.figure, and z [m]."""

    kind: str
    number: int
    x: float
    z: float
    heading: float
    attitude: Optional[int] = None


class Plot:
    """`marks` lie on the ground, `fixed` things stand on it, `standing` are people and bicycles; z from the plot's start."""

    def __init__(self, seed: int, cell: int, side: int, character: Character, weather: Weather, looks: Looks) -> None:
        self._rng = np.random.default_rng([seed, cell + 1_000_000, side + 1])
        self._side, self._character, self._weather, self._looks = side, character, weather, looks
        self.fixed: list[Placed] = []
        self.standing: list[Standing] = []
        on_road = looks.sketch()
        self._edge = character.road_half_m + 0.45
        self._wall = character.wall_m
        # Only every third plot may have one, at three times the chance, so that side streets are never adjacent.
        self._is_side_street = cell % 3 == 0 and self._happens('side_street', 3.0)
        if self._is_side_street:
            marks.side_street(on_road, side, character.road_half_m, self._wall, CELL_M, character.asphalt,
                              character.paving)
            self._back_of_side_street()
        else:
            self._behind_the_pavement()
            self._on_the_pavement()
            self._parked()
        self._on_the_road(on_road)
        self.marks = on_road.finish()

    def _happens(self, name: str, factor: float = 1.0) -> bool:
        return bool(self._rng.random() < self._character.chance[name] * factor)

    def _put(self, z: float, draw: Callable[..., None], *arguments: Any, behind: Optional[float] = None,
             weight: float = 1.0, **options: Any) -> None:
        sketch = self._looks.sketch()
        draw(sketch, *arguments, **options)
        thing = sketch.finish()
        height_m = weight * float(thing.solid.points[:, 1].max())
        self.fixed.append(Placed(thing, z, z if behind is None else behind, height_m))

    def _tree(self, x: float, z: float, number: int, low: float = 0.8, high: float = 1.2, weight: float = 1.0) -> None:
        behind = CELL_M + 0.01 * z if x > self._wall else z
        self._put(z, plants.tree, self._looks.tree(number), self._side * x, self._rng.uniform(low, high), behind=behind,
                  weight=weight)

    def _behind_the_pavement(self) -> None:
        rng, side, character, looks = self._rng, self._side, self._character, self._looks
        setback = character.setback_m
        is_gap = self._happens('gap')
        if is_gap:
            for number in range(int(rng.integers(1, 4))):
                # From far away the first one hides the others.
                self._tree(self._wall + rng.uniform(1.5, 12), CELL_M * (0.9 - 0.2 * number),
                           int(rng.integers(looks_.TREES)), weight=0.1 if number else 1.0)
        else:
            facade = looks.facade(side, int(rng.integers(looks_.FACADES)))
            x = side * (self._wall + setback + rng.uniform(0, 0.4) * (setback > 0))
            self._put(0.0, buildings.building, facade, side, x, self._weather, rng, behind=CELL_M)
        if setback > 2.5 or is_gap:
            for _ in range(int(rng.integers(0, 3))):
                scale, at = rng.uniform(0.6, 1.2), rng.uniform(0.5, CELL_M)
                x = side * (self._wall + rng.uniform(0.9, 2.4))
                self._put(at, plants.tree, looks.bush(), x, scale, behind=CELL_M, weight=0.5)
        if (setback > 0.8 or is_gap) and self._happens('boundary'):
            x = side * self._wall
            if rng.random() < 0.4:
                look = looks.hedge(int(rng.integers(looks_.HEDGES)))
                self._put(0.0, plants.hedge, look, side, x, behind=CELL_M - 0.1)
            else:
                kind = looks.boundary(int(rng.integers(1, looks_.BOUNDARIES)))
                self._put(0.0, buildings.boundary, kind, x, behind=CELL_M - 0.1)

    def _back_of_side_street(self) -> None:
        """Trees far down the side street, so that it does not end in the sky."""
        rng = self._rng
        for number in range(3):
            self._tree(self._wall + 16 + 7 * number, CELL_M - 2.0 * number, int(rng.integers(looks_.TREES)))

    def _on_the_pavement(self) -> None:
        rng, side, looks = self._rng, self._side, self._looks
        edge = side * (self._edge + 0.5 * self._character.verge_m)
        if self._happens('lamp'):
            self._put(rng.uniform(0.2, CELL_M), furniture.lamp_post, edge, rng, lit=self._weather.is_dark)
        for name, draw, offset in (('bollard', furniture.bollard, 0.0), ('lights', furniture.traffic_light, 0.0),
                                   ('bin', furniture.bin_, 0.3)):
            if self._happens(name):
                self._put(rng.uniform(0.2, CELL_M), draw, edge + side * offset, rng)
        if self._happens('sign'):
            face = looks.sign(int(rng.integers(looks_.SIGNS)))
            self._put(rng.uniform(0.2, CELL_M), furniture.sign, face, edge + side * 0.15)
        if self._happens('tree'):
            self._tree(abs(edge) + 0.4, rng.uniform(0.5, CELL_M), int(rng.integers(3)), 0.7, 1.05)
        if self._happens('railing'):
            x = side * (self._edge - 0.15)
            for z in np.arange(0, CELL_M, RAILING_M).tolist():       # in sections, so that cars in front and people behind sort
                self._put(z, buildings.boundary, looks.boundary(0), x, behind=z + RAILING_M / 2)
        if self._happens('bikes'):
            start, heading = rng.uniform(0, 3), rng.uniform(0, 2 * np.pi)
            for number in range(int(rng.integers(1, 5))):
                self.standing.append(Standing(
                    'bicycle', int(rng.integers(looks_.BICYCLES)), side * (self._wall - 0.7), start + 0.9 * number,
                    heading + rng.normal(0, 0.15)))
        if self._happens('standing', self._character.crowd):
            for _ in range(int(rng.integers(1, 4))):
                self.standing.append(Standing(
                    'pedestrian', int(rng.integers(looks_.WALKERS)),
                    side * rng.uniform(self._edge + 0.4, self._wall - 0.4), rng.uniform(0, CELL_M),
                    rng.uniform(0, 2 * np.pi)))

    def _parked(self) -> None:
        side, rng = self._side, self._rng
        if side in self._character.parking_sides and self._happens('parked'):
            look = self._looks.car(int(rng.integers(looks_.CARS)))
            x = side * (self._character.road_half_m - look.body.half - 0.15)
            facing = (side > 0) != (rng.random() < 0.25)
            self._put(rng.uniform(0.3, max(CELL_M - look.length, 0.5)), vehicles.car, look, x, -side, facing=facing)

    def _on_the_road(self, sketch: Sketch) -> None:
        """Markings and patches on this side's half of the road."""
        rng, half, asphalt = self._rng, self._character.road_half_m, self._character.asphalt
        if self._happens('patch'):
            marks.patch(sketch, self._side * rng.uniform(0.8, half - 1.0), rng)
        if self._happens('manhole'):
            marks.manhole(sketch, self._side * rng.uniform(0.4, half - 0.6), asphalt)
        if self._side < 0:
            kind = rng.random()
            if kind < 0.035:
                marks.zebra(sketch, half)
            elif kind < 0.05:
                marks.box(sketch, half, CELL_M)
            elif kind < 0.07:
                marks.stop_line(sketch, half)
            elif kind < 0.10:
                marks.arrow(sketch, -half / 2)
