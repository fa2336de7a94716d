# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random character of a street: its district, its widths and how much of everything it has."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DISTRICTS = ('centre', 'centre', 'terraces', 'terraces', 'suburb', 'arterial')


@dataclass(frozen=True)
class Character:
    """Lengths in metres; chances are per plot and side. Sides: -1 left, 1 right."""

    district: str
    road_half_m: float
    wall_m: float                   # from the road's centre line to the plots
    setback_m: float                # from the edge of the plots to the houses
    verge_m: float
    asphalt: np.ndarray
    paving: np.ndarray
    middle: str
    yellow_sides: tuple[int, ...]
    parking_sides: tuple[int, ...]
    has_cycle_lane: bool
    facades: tuple[str, ...]
    storeys: tuple[int, int]
    chance: dict[str, float]
    crowd: float                    # factor on the amount of people and traffic

    @property
    def has_gardens(self) -> bool:
        """Whether there is grass behind the pavement."""
        return self.district in ('suburb', 'arterial')

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Character:
        district = DISTRICTS[rng.integers(len(DISTRICTS))]
        half = rng.uniform(*{'centre': (3.2, 4.8), 'terraces': (3.4, 4.9), 'suburb': (3.3, 5.0),
                             'arterial': (4.0, 6.0)}[district])
        parking = tuple(side for side in (-1, 1) if half > 4.0 + 0.3 * (side < 0) and rng.random() < 0.55)
        free = tuple(side for side in (-1, 1) if side not in parking)
        town = district in ('centre', 'terraces')
        verge = rng.uniform(1.0, 2.0) if not town and rng.random() < 0.5 else 0.0
        return cls(
            district=district, road_half_m=half, wall_m=half + verge + rng.uniform(1.9, 3.8),
            setback_m={'centre': 0.0, 'terraces': rng.uniform(0.0, 2.2), 'suburb': rng.uniform(3, 7),
                       'arterial': rng.uniform(2, 8)}[district],
            verge_m=verge,
            asphalt=np.array((84, 83, 86)) * rng.uniform(0.7, 1.35) * rng.uniform(0.96, 1.04, 3),
            paving=np.array((132, 126, 119)) * rng.uniform(0.75, 1.2) * rng.uniform(0.95, 1.05, 3),
            middle=('dashes', 'warning', 'double', 'none')[rng.choice(4, p=(0.5, 0.25, 0.1, 0.15))],
            yellow_sides=free if rng.random() < 0.5 else (), parking_sides=parking,
            has_cycle_lane=-1 not in parking and half > 4.0 and rng.random() < 0.4,
            facades={'centre': ('shop', 'shop', 'georgian', 'office', 'stone', 'brick'),
                     'terraces': ('brick', 'brick', 'brick', 'render', 'shop'),
                     'suburb': ('render', 'brick', 'brick', 'render'),
                     'arterial': ('office', 'brick', 'render', 'blank', 'office')}[district],
            storeys={'centre': (3, 5), 'terraces': (2, 3), 'suburb': (2, 2), 'arterial': (2, 4)}[district],
            chance=dict(
                gap=rng.uniform(*{'centre': (0.0, 0.08), 'terraces': (0.0, 0.12), 'suburb': (0.2, 0.5),
                                  'arterial': (0.35, 0.8)}[district]),
                side_street=rng.uniform(0.02, 0.09), tree=rng.uniform(0.02, 0.2 if town else 0.5),
                lamp=rng.uniform(0.18, 0.35),
                sign=rng.uniform(0.12, 0.35), lights=rng.uniform(0.0, 0.08), boundary=rng.uniform(0.5, 0.95),
                railing=rng.uniform(0.0, 0.25), bollard=rng.uniform(0, 0.2), bin=rng.uniform(0, 0.12),
                bikes=rng.uniform(0.02, 0.25 if town else 0.08), parked=rng.uniform(0.3, 0.9),
                standing=rng.uniform(0.03, 0.25 if town else 0.1), manhole=0.15,
                patch=rng.uniform(0.05, 0.2)),
            crowd=rng.uniform(0.5, 1.5) * (1.3 if district == 'centre' else 0.8))
