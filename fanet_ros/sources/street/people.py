# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pedestrians, bicyclists and parked bicycles, in any phase of their motion and from any direction."""
from __future__ import annotations

from typing import Optional

import numpy as np

from fanet_ros.sources.street.classes import BICYCLIST, PEDESTRIAN
from fanet_ros.sources.street.figure import Figure
from fanet_ros.sources.street.texture import Texture

ATTITUDES = 10      # phases of a double step, or of one turn of the pedals
HEADINGS = 12       # directions from which a figure is painted
SKINS = ((206, 166, 140), (190, 146, 120), (176, 130, 104), (120, 85, 65), (86, 60, 48))
HAIRS = ((36, 28, 24), (84, 62, 42), (150, 120, 78), (150, 146, 142), (24, 24, 26))
# Most people wear dark and dull clothes, a few bright ones.
DULL = ((34, 36, 42), (52, 50, 50), (44, 52, 72), (84, 74, 62),
        (96, 98, 100), (60, 66, 54), (24, 24, 26), (120, 108, 92))
BRIGHT = ((176, 34, 40), (210, 208, 200), (40, 90, 160), (206, 170, 50),
          (230, 120, 150), (60, 140, 120), (200, 230, 60))
TROUSERS = ((36, 38, 46), (52, 62, 88), (70, 68, 66), (96, 86, 70), (26, 26, 28))


def _clothes(rng: np.random.Generator, bright: float) -> np.ndarray:
    among = BRIGHT if rng.random() < bright else DULL
    return np.array(among[rng.integers(len(among))]) * rng.uniform(0.8, 1.15)


def _joint(start: np.ndarray, angle: float, length: float, right: float = 0.0) -> np.ndarray:
    """End of a limb that hangs from `start`, swung forward by `angle` radians."""
    return start + np.array([length * np.sin(angle), right, -length * np.cos(angle)])


def pedestrian(number: int, seed: int, attitude: Optional[int], heading: float,
               light: float) -> tuple[Texture, float, float]:
    """Someone walking, or standing (attitude None): texture, width and height in metres."""
    rng = np.random.default_rng([seed, 31, number])
    size = rng.uniform(0.9, 1.06) if rng.random() < 0.88 else rng.uniform(0.62, 0.8)
    coat, hair = _clothes(rng, 0.25), np.array(HAIRS[rng.integers(len(HAIRS))])
    trousers = np.array(TROUSERS[rng.integers(len(TROUSERS))]) * rng.uniform(0.8, 1.2)
    skin, stout = np.array(SKINS[rng.integers(5)]), rng.uniform(0.9, 1.15)
    has_skirt, has_bag, long_coat, long_hair = rng.random(4) < (0.15, 0.4, 0.35, 0.4)
    phase = 0.0 if attitude is None else 2 * np.pi * attitude / ATTITUDES
    stride = 0.0 if attitude is None else 0.46
    figure = Figure(heading, 0.62 * size, 1.84 * size)
    hip, neck = np.array([0, 0, 0.93]), np.array([0.03, 0, 1.47])
    legs = []
    for side, shift in ((-1, 0.0), (1, np.pi)):
        swing = stride * np.sin(phase + shift)
        bend = 0.12 + (0.0 if attitude is None else 0.75 * max(np.cos(phase + shift), 0.0) ** 2)
        knee = _joint(hip + (0, 0.09 * side, 0), swing + bend * 0.4, 0.44)
        ankle = _joint(knee, swing - bend * 0.6, 0.44)
        legs.append((side, knee, ankle))
    drop = min(ankle[2] for _, _, ankle in legs) - 0.06      # striding lowers the body a little
    down = np.array([0, 0, drop])

    def limb(start: np.ndarray, end: np.ndarray, radius: float, color: np.ndarray, bias: float = 0.0) -> None:
        figure.limb((start - down) * size, (end - down) * size, radius * size, color, bias)

    for side, knee, ankle in legs:
        bare = skin if has_skirt else trousers
        limb(hip + (0, 0.09 * side, 0), knee, 0.085 * stout, trousers)
        limb(knee, ankle, 0.062 * stout, bare)
        limb(ankle + (-0.05, 0, -0.02), ankle + (0.15, 0, -0.03), 0.042, np.array((34, 30, 28)))
        shoulder = neck + (0, 0.19 * side * stout, -0.07)
        swing = -stride * 0.9 * np.sin(phase + (0.0 if side < 0 else np.pi))
        elbow = _joint(shoulder, swing * 0.8, 0.28, 0.05 * side)
        hand = _joint(elbow, swing * 0.8 + 0.35, 0.25)
        limb(shoulder, elbow, 0.055 * stout, coat * 0.9)
        limb(elbow, hand, 0.047, coat * 0.9)
        limb(hand, hand + (0.02, 0, -0.07), 0.036, skin)
        if has_bag and side > 0:
            limb(hand + (0, 0.04, -0.14), hand + (0, 0.04, -0.32), 0.1, hair * 0.8 + 20)
    low = 0.42 if long_coat or has_skirt else 0.06
    for side in (-1, 1):
        below = coat if long_coat or not has_skirt else trousers
        limb(hip + (0, 0.06 * side, -low), hip + (0, 0.08 * side, 0.1), 0.12 * stout, below, 0.02)
        limb(hip + (0, 0.07 * side, 0.05), neck + (0, 0.1 * side * stout, -0.1), 0.125 * stout, coat, 0.03)
    limb(neck + (0, 0, -0.05), neck + (0, 0, 0.1), 0.05, skin)
    head = neck + (0.03, 0, 0.2)
    limb(head + (0, 0, -0.04), head + (0, 0, 0.05), 0.095, skin, 0.02)
    limb(head + (-0.035, 0, -0.14 if long_hair else 0.03), head + (-0.02, 0, 0.08), 0.098, hair, 0.01)
    limb(head + (-0.01, 0, 0.1), head + (0.02, 0, 0.1), 0.08, hair, 0.05)
    return figure.paint(PEDESTRIAN, light), 2 * figure.half_width_m, figure.height_m


def _bicycle(figure: Figure, color: np.ndarray, lean: float) -> None:
    tyre, metal = np.array((30, 30, 32)), np.array((120, 122, 124))

    def at(forward: float, up: float, right: float = 0.0) -> np.ndarray:
        return np.array([forward, right + lean * up, up])

    for hub in (-0.52, 0.52):
        figure.wheel(at(hub, 0.35), 0.33, tyre)
    rear, pedal, seat, head, front = at(-0.52, 0.35), at(-0.08, 0.3), at(-0.24, 0.82), at(0.36, 0.85), at(0.52, 0.35)
    for start, end in ((rear, pedal), (rear, seat), (pedal, seat), (pedal, head), (seat, head), (head, front)):
        figure.limb(start, end, 0.024, color)
    figure.limb(seat, at(-0.25, 0.95), 0.016, metal)
    figure.limb(at(-0.36, 0.98), at(-0.12, 0.97), 0.05, tyre)
    figure.limb(head, at(0.36, 1.03), 0.018, metal)
    figure.limb(at(0.4, 1.04, -0.26), at(0.4, 1.04, 0.26), 0.02, tyre)


def bicycle(number: int, seed: int, heading: float, light: float) -> tuple[Texture, float, float]:
    """A parked bicycle, leaning: texture, width and height in metres."""
    rng = np.random.default_rng([seed, 32, number])
    figure = Figure(heading, 0.95, 1.15)
    _bicycle(figure, _clothes(rng, 0.5), rng.uniform(0.05, 0.14))
    return figure.paint(BICYCLIST, light), 2 * figure.half_width_m, figure.height_m


def bicyclist(number: int, seed: int, attitude: int, heading: float, light: float) -> tuple[Texture, float, float]:
    """Someone riding a bicycle: texture, width and height in metres."""
    rng = np.random.default_rng([seed, 33, number])
    coat, trousers = _clothes(rng, 0.45), np.array(TROUSERS[rng.integers(5)]) * rng.uniform(0.8, 1.2)
    skin, hair = np.array(SKINS[rng.integers(5)]), np.array(HAIRS[rng.integers(5)])
    helmet = _clothes(rng, 0.7) if rng.random() < 0.4 else None
    lean = rng.uniform(0.12, 0.36)
    figure = Figure(heading, 0.95, 1.88)
    _bicycle(figure, _clothes(rng, 0.5), 0.0)
    hip, turn = np.array([-0.22, 0, 1.02]), 2 * np.pi * attitude / ATTITUDES
    neck = hip + (lean, 0, 0.52)
    for side, shift in ((-1, 0.0), (1, np.pi)):
        foot = np.array([-0.08 + 0.17 * np.cos(turn + shift), 0.11 * side, 0.34 - 0.17 * np.sin(turn + shift)])
        top = hip + (0.02, 0.1 * side, -0.04)
        # Knee of a leg of two 0.45 m segments, bent forward.
        middle, reach = (top + foot) / 2, np.linalg.norm(foot - top)
        out = np.sqrt(max(0.45 ** 2 - (reach / 2) ** 2, 0.0))
        knee = middle + np.array([0.9, 0, 0.43]) * out
        figure.limb(top, knee, 0.08, trousers)
        figure.limb(knee, foot, 0.058, trousers)
        figure.limb(foot + (-0.06, 0, -0.02), foot + (0.13, 0, -0.02), 0.04, np.array((34, 32, 32)))
        shoulder, hand = neck + (0, 0.18 * side, -0.05), np.array([0.4, 0.25 * side, 1.07])
        elbow = (shoulder + hand) / 2 + (-0.03, 0.05 * side, -0.07)
        figure.limb(shoulder, elbow, 0.055, coat * 0.9)
        figure.limb(elbow, hand, 0.045, coat * 0.9)
        figure.limb(hip + (0, 0.07 * side, 0), neck + (-0.02, 0.1 * side, -0.09), 0.125, coat, 0.03)
    head = neck + (0.08, 0, 0.19)
    figure.limb(neck, head, 0.05, skin)
    figure.limb(head + (0, 0, -0.04), head + (0, 0, 0.05), 0.095, skin, 0.02)
    figure.limb(head + (-0.04, 0, 0.03), head + (0.0, 0, 0.09), 0.1, hair if helmet is None else helmet, 0.03)
    if helmet is None and rng.random() < 0.4:       # a rucksack
        figure.limb(hip + (0.02, 0, 0.2), neck + (-0.16, 0, -0.1), 0.14, _clothes(rng, 0.4), 0.04)
    return figure.paint(BICYCLIST, light), 2 * figure.half_width_m, figure.height_m
