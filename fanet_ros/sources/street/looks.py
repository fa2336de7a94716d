# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything painted for one street, on first use; each item depends only on seed and name, not on the order of use."""
from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np

from fanet_ros.sources.street import people
from fanet_ros.sources.street.buildings import Boundary
from fanet_ros.sources.street.character import Character
from fanet_ros.sources.street.facades import Facade
from fanet_ros.sources.street.furniture import SignFace
from fanet_ros.sources.street.plants import KINDS as TREE_KINDS
from fanet_ros.sources.street.plants import Hedge, Tree
from fanet_ros.sources.street.sketch import Sketch, Thing
from fanet_ros.sources.street.texture import Texture
from fanet_ros.sources.street.vehicles import KINDS as CAR_KINDS
from fanet_ros.sources.street.vehicles import Car
from fanet_ros.sources.street.weather import Weather

CELL_M = 8.0                # length of a plot, a facade, a fence
RAILING_M = 2.0             # length of a section of railing at the kerb
# Number of variants of each.
FACADES, TREES, HEDGES, BOUNDARIES, SIGNS, CARS = 7, 6, 3, 4, 8, 12
WALKERS, RIDERS, BICYCLES = 10, 6, 5
KEPT_FIGURES = 900          # cached textures of people; when it is full, the cache is emptied


class Looks:
    """Appearance of everything that can stand in one street."""

    def __init__(self, seed: int, character: Character, weather: Weather) -> None:
        self._seed, self._character, self._weather = seed, character, weather
        self._made: dict[tuple, Any] = {}
        self._figures: dict[tuple, tuple[Texture, float, float]] = {}
        self._placed_figures: dict[tuple, Thing] = {}

    def sketch(self) -> Sketch:
        """An empty sketch in the light of this street."""
        return Sketch(self._weather.light, self._weather.sun)

    def facade(self, side: int, number: int) -> Facade:
        """One of FACADES fronts on one side of the street."""
        def paint(rng: np.random.Generator) -> Facade:
            kinds, (low, high) = self._character.facades, self._character.storeys
            return Facade(kinds[rng.integers(len(kinds))], int(rng.integers(low, high + 1)), CELL_M,
                          self._weather.light, self._weather.tone(-side), self._weather.is_dark, rng)
        return self._make(('facade', side, number), paint)

    def tree(self, number: int) -> Tree:
        """One of TREES; numbers 0 to 2 are of the street's main kind."""
        main = TREE_KINDS[np.random.default_rng([self._seed, 41]).integers(4)]
        sun_x = 0.0 if self._weather.sun is None else -float(np.sign(self._weather.sun[0]))
        return self._make(('tree', number), lambda rng: Tree(
            main if number < 3 else TREE_KINDS[rng.integers(len(TREE_KINDS))], self._weather.light, sun_x, rng))

    def bush(self) -> Tree:
        return self._make(('bush',), lambda rng: Tree('bush', self._weather.light, 0.0, rng))

    def hedge(self, number: int) -> Hedge:
        """One of HEDGES."""
        return self._make(('hedge', number), lambda rng: Hedge(CELL_M, self._weather.light, rng))

    def boundary(self, number: int) -> Boundary:
        """One of BOUNDARIES: number 0 is always a railing, RAILING_M long."""
        return self._make(('boundary', number), lambda rng: Boundary(
            'railing' if number == 0 else ('wall', 'boards', 'railing')[rng.integers(3)],
            RAILING_M if number == 0 else CELL_M, self._weather.light, rng))

    def sign(self, number: int) -> SignFace:
        """One of SIGNS."""
        return self._make(('sign', number), lambda rng: SignFace(self._weather.light, rng))

    def car(self, number: int) -> Car:
        """One of CARS; number -1 is the bus."""
        sun = self._weather.sun
        flank_tone = 0.9 * self._weather.tone(1) if sun and sun[0] < 0 else 0.85
        return self._make(('car', number), lambda rng: Car(
            'bus' if number < 0 else CAR_KINDS[rng.integers(len(CAR_KINDS))], self._weather.light,
            self._weather.is_dark, flank_tone, rng))

    def figure(self, kind: str, number: int, x_m: float, attitude: Optional[int], heading: float) -> Thing:
        """A 'pedestrian', 'bicyclist' or 'bicycle' at x_m; heading in radians from the viewing direction."""
        direction = round(heading / (2 * np.pi) * people.HEADINGS) % people.HEADINGS
        key = (kind, number, attitude, direction)
        placed = self._placed_figures.get((*key, x_m))
        if placed is not None:
            return placed
        angle, light = direction * 2 * np.pi / people.HEADINGS, self._weather.light
        if key not in self._figures:
            if len(self._figures) >= KEPT_FIGURES:
                self._figures.clear()
                self._placed_figures.clear()
            if kind == 'pedestrian':
                self._figures[key] = people.pedestrian(number, self._seed, attitude, angle, light)
            elif kind == 'bicyclist':
                self._figures[key] = people.bicyclist(number, self._seed, attitude or 0, angle, light)
            else:
                self._figures[key] = people.bicycle(number, self._seed, angle, light)
        texture, width, height = self._figures[key]
        sketch = self.sketch()
        reach = 0.24 if kind == 'pedestrian' else 0.15 + 0.6 * abs(np.sin(angle))
        sketch.shade_under(x_m, -0.2, 0.25, reach, 130.0)
        sketch.shade_upright(x_m, 0, 0.2 if kind == 'pedestrian' else 0.3, height * 0.93)
        sketch.picture(texture, x_m, width, height)
        placed = self._placed_figures[key + (x_m,)] = sketch.finish()
        return placed

    def _make(self, key: tuple, paint: Callable[[np.random.Generator], Any]) -> Any:
        if key not in self._made:
            numbers = [sum(map(ord, part)) if isinstance(part, str) else part + 2 for part in key]
            self._made[key] = paint(np.random.default_rng([self._seed, 40, *numbers]))
        return self._made[key]
