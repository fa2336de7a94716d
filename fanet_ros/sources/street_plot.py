"""What stands on one side of CELL_M metres of street: chosen and sketched once, by seed, cell and side alone."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fanet_ros.sources import street_buildings as buildings
from fanet_ros.sources import street_furniture as furniture
from fanet_ros.sources import street_people as people
from fanet_ros.sources import street_vehicles as vehicles
from fanet_ros.sources.street_sketch import Sketch, Thing
from fanet_ros.sources.street_weather import Weather

CELL_M = 8.0
WIDE_ROAD_HALF_M = 4.2
WALK_MPS, RIDE_MPS = 1.3, 4.0
STEP_HZ, PEDAL_HZ = 0.9, 1.1        # double steps and turns of the pedals in a second


@dataclass(frozen=True)
class Character:
    """What distinguishes one street from another: widths in metres, and how often a plot has what."""

    road_half_m: float
    pavement_m: float
    tree: float
    lamp: float
    sign: float
    light: float
    fence: float
    hedge: float
    gap: float
    parked: float
    pedestrian: float
    bicyclist: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Character:
        """A random street."""
        return cls(road_half_m=rng.uniform(3.3, 5.2), pavement_m=rng.uniform(1.8, 3.6), tree=rng.uniform(0.05, 0.5),
                   lamp=rng.uniform(0.15, 0.4), sign=rng.uniform(0.1, 0.35), light=rng.uniform(0, 0.12),
                   fence=rng.uniform(0.05, 0.4), hedge=rng.uniform(0, 0.25), gap=rng.uniform(0.03, 0.4),
                   parked=rng.uniform(0.05, 0.55), pedestrian=rng.uniform(0.1, 0.45), bicyclist=rng.uniform(0.04, 0.16))


@dataclass(frozen=True)
class Placed:
    """A thing and where its own z 0 lies, in metres from the plot's beginning."""

    thing: Thing
    z: float


class Plot:
    """The fixed things of a plot, from far to near, and those that move through it."""

    def __init__(self, seed: int, cell: int, side: int, character: Character, weather: Weather) -> None:
        self._weather = weather
        self._rng_key = [seed, cell + 1_000_000, side + 1]
        rng = self._rng(0)
        self._side = side
        edge = character.road_half_m + 0.45
        wall = character.road_half_m + character.pavement_m + rng.uniform(0, 1.0)
        chance = {name: rng.random() for name in (
            'gap', 'fence', 'hedge', 'tree', 'lamp', 'sign', 'light', 'parked', 'pedestrian', 'bicyclist', 'bollard', 'bike')}
        z = dict(zip(chance, rng.uniform(0.2, CELL_M - 0.2, len(chance))))
        lit = weather.is_dark
        self.fixed: list[Placed] = []

        def put(name: str, at: float, draw: 'object', *arguments: object, **options: object) -> None:
            sketch = Sketch(weather.light, weather.sun)
            draw(sketch, *arguments, self._rng(2 + list(chance).index(name)), **options)        # type: ignore[operator]
            self.fixed.append(Placed(sketch.finish(), at))

        if chance['gap'] < character.gap:
            for number, name in enumerate(('gap', 'pedestrian', 'bicyclist')):      # a garden: trees behind
                put(name, CELL_M * (0.85 - 0.3 * number), furniture.tree, side * (wall + 1.5 + 3 * number))
        else:
            put('gap', 0.0, buildings.building, side, side * wall, CELL_M, lit=lit)
        if chance['hedge'] < character.hedge:
            put('hedge', 0.0, buildings.hedge, side, side * (wall - 0.5), CELL_M)
        elif chance['fence'] < character.fence:
            put('fence', 0.0, buildings.fence, side * (wall - 0.5), CELL_M)
        if chance['tree'] < character.tree:
            put('tree', z['tree'], furniture.tree, side * (edge + 0.5))
        if chance['lamp'] < character.lamp:
            put('lamp', z['lamp'], furniture.lamp_post, side * edge, lit=lit)
        if chance['sign'] < character.sign:
            put('sign', z['sign'], furniture.sign, side * (edge + 0.2))
        if chance['light'] < character.light:
            put('light', z['light'], furniture.traffic_light, side * edge)
        if chance['bollard'] < 0.12:
            put('bollard', z['bollard'], furniture.bollard, side * edge)
        if chance['bike'] < 0.08:
            put('bike', z['bike'], vehicles.bicycle, side * (wall - 0.9))
        # The camera drives on the left: cars are parked there only where it gets past them.
        if chance['parked'] < character.parked and (side > 0 or character.road_half_m > WIDE_ROAD_HALF_M):
            put('parked', z['parked'] * 0.4, vehicles.car, side * (character.road_half_m - 0.95), facing=side > 0,
                lit=False)
        self.fixed.sort(key=lambda placed: -placed.z)
        self._walker = chance['pedestrian'] < character.pedestrian
        self._rider = chance['bicyclist'] < character.bicyclist
        self._walk_x = side * (edge + rng.uniform(0.5, max(character.pavement_m - 1.2, 0.6)))
        self._ride_x = side * (character.road_half_m - 2.3)
        self._start = rng.uniform(0, CELL_M, 2)
        self._toward = rng.random() < 0.5
        # Not shared with other plots, or one street would keep the sketches of another alive.
        self._pedestrian = lru_cache(maxsize=None)(self._sketch_pedestrian)
        self._bicyclist = lru_cache(maxsize=None)(self._sketch_bicyclist)

    def moving(self, time_s: float) -> list[Placed]:
        """People at this time. They stay in their plot: leaving at one end, they begin again at the other."""
        placed = []
        if self._walker:
            way = WALK_MPS * time_s * (-1 if self._toward else 1)
            attitude = int(time_s * STEP_HZ * people.ATTITUDES) % people.ATTITUDES
            placed.append(Placed(self._pedestrian(attitude), (self._start[0] + way) % CELL_M))
        if self._rider:
            way = RIDE_MPS * time_s * (-1 if self._side > 0 else 1)
            attitude = int(time_s * PEDAL_HZ * people.ATTITUDES) % people.ATTITUDES
            placed.append(Placed(self._bicyclist(attitude), (self._start[1] + way) % CELL_M))
        return placed

    def _sketch_pedestrian(self, attitude: int) -> Thing:
        sketch = Sketch(self._weather.light, self._weather.sun)
        people.pedestrian(sketch, self._walk_x, self._rng(20), attitude)
        return sketch.finish()

    def _sketch_bicyclist(self, attitude: int) -> Thing:
        sketch = Sketch(self._weather.light, self._weather.sun)
        people.bicyclist(sketch, self._ride_x, self._rng(21), attitude)
        return sketch.finish()

    def _rng(self, number: int) -> np.random.Generator:
        return np.random.default_rng([*self._rng_key, number])
