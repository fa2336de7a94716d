# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weather and light of the synthetic street: brightness, sky, haze, shadows."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from fanet_ros.sources.street.classes import BUILDING, SKY, TREE
from fanet_ros.sources.street.texture import grain

KINDS = ('sun', 'sun', 'overcast', 'overcast', 'dusk')
HAZE_STEPS = 20


class Haze:
    """Fades colours with distance into `color`, RGB: by half at 0.7 `range_m`."""

    def __init__(self, color: np.ndarray, range_m: float) -> None:
        self.color, self._range_m = color.astype(np.float32), range_m
        share = np.linspace(0, 1, HAZE_STEPS + 1)[:, None, None, None]
        values = np.arange(256)[None, :, None, None] * (1 - share) + self.color * share
        fourth = np.broadcast_to(np.arange(256)[None, :, None, None], (HAZE_STEPS + 1, 256, 1, 1))
        # (HAZE_STEPS + 1, 256, 1, 4): lookup tables that leave the fourth channel, the label, unchanged.
        self.tables = np.clip(np.concatenate([values, fourth], 3), 0, 255).astype(np.uint8)

    def fade(self, colors: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
        """(n, 3) colours as seen through (n,) metres of air."""
        clear = np.exp(-depth_m / self._range_m)[:, None]
        return np.clip(colors * clear + self.color * (1 - clear), 0, 255)

    def steps(self, depth_m: np.ndarray) -> np.ndarray:
        """(n,) int: index into `tables` for each depth."""
        return np.round((1 - np.exp(-depth_m / self._range_m)) * HAZE_STEPS).astype(int)


@dataclass(frozen=True)
class Weather:
    """One day. `light` multiplies every colour; `sun` is the shadow (x, z) in metres per metre of height.

    zenith, haze_color: RGB of the sky overhead and at the horizon; balance: RGB gains of the camera's white balance.
    """

    kind: str
    light: float
    sun: Optional[tuple[float, float]]
    zenith: np.ndarray
    haze_color: np.ndarray
    haze_range_m: float
    balance: np.ndarray
    cloud_cover: float

    @property
    def is_dark(self) -> bool:
        """Whether lamps and windows are lit."""
        return self.kind == 'dusk'

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Weather:
        kind = KINDS[rng.integers(len(KINDS))]
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.7)
        zenith, haze = {
            'sun': ((105, 160, 228), (226, 236, 244)), 'overcast': ((205, 209, 214), (238, 238, 238)),
            'dusk': ((84, 94, 130), (205, 172, 148))}[kind]
        if kind != 'dusk' and rng.random() < 0.4:       # the camera exposes for the street: the sky is overexposed
            zenith = haze = (248, 250, 252)
        light = {'sun': 1.1, 'overcast': 0.85, 'dusk': 0.5}[kind] * rng.uniform(0.82, 1.12)
        clouds = {'sun': (0, 0.7), 'overcast': (0.1, 0.3), 'dusk': (0, 0.6)}[kind]
        return cls(
            kind=kind, light=light, sun=(length * np.cos(angle), length * np.sin(angle)) if kind == 'sun' else None,
            zenith=np.array(zenith) * rng.uniform(0.94, 1.04, 3),
            haze_color=np.array(haze) * rng.uniform(0.97, 1.02, 3),
            haze_range_m=rng.uniform(140, 500), balance=rng.uniform(0.95, 1.05, 3), cloud_cover=rng.uniform(*clouds))

    def tone(self, normal_x: float) -> float:
        """Brightness of a wall along the street with this normal, as a factor on top of `light`."""
        if self.sun is None:
            return 0.96
        toward = -self.sun[0] * normal_x / max(float(np.hypot(*self.sun)), 1e-6)
        return 0.7 + 0.38 * max(toward, 0.0)

    def paint_sky(self, width: int, height: int, horizon_px: float, rng: np.random.Generator) -> np.ndarray:
        """Sky with clouds, and distant roofs and trees along the horizon: (height, width, 4) uint8, RGB and label."""
        up = np.clip(np.arange(height) / max(horizon_px, 1.0), 0, 1)[:, None, None] ** 1.3
        sky = self.zenith * (1 - up) + self.haze_color * up
        clouds = np.zeros((height, width), np.float32)
        for octave in range(5):
            noise = rng.normal(0, 1, (4 * 2 ** octave, 3 * 2 ** octave)).astype(np.float32)
            layer: np.ndarray = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
            clouds += layer / 1.8 ** octave
        cover = np.clip((clouds + 0.1) * self.cloud_cover, 0, 0.9)[..., None]
        white = np.minimum(self.haze_color * 1.08, 252) if self.kind != 'overcast' else self.zenith * 0.86
        pixels = np.dstack([sky * (1 - cover) + white * cover, np.full((height, width, 1), SKY, float)])
        self._paint_skyline(pixels, horizon_px, rng)
        return np.clip(pixels, 0, 255).astype(np.uint8)

    def _paint_skyline(self, pixels: np.ndarray, horizon_px: float, rng: np.random.Generator) -> None:
        height, width = pixels.shape[:2]
        mottle = grain(rng, height, width, 0.05, 0.12, 0.1)
        rows = np.arange(height)[:, None]
        for color, label, highest, pieces in (((125, 112, 105), BUILDING, 0.055, 14), ((78, 88, 62), TREE, 0.05, 40)):
            tops = rng.uniform(0, highest, pieces) * height * (rng.random(pieces) < 0.75)
            if label == BUILDING:
                line = np.repeat(tops, -(-width // pieces))[:width]
            else:
                line = cv2.resize(tops[None], (width, 1), interpolation=cv2.INTER_CUBIC)[0] + rng.normal(0, 0.8, width)
            shown = (rows > horizon_px - line) & (line > 1)
            faded = np.array(color) * self.light * 0.55 + self.haze_color * 0.45
            pixels[shown] = np.dstack([faded * mottle, np.full((height, width, 1), label)])[shown]
