"""The light of a day in the synthetic street: brightness, sky, haze, shadows."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from fanet_ros.sources.street_classes import SKY

KINDS = ('sun', 'overcast', 'dusk')


@dataclass(frozen=True)
class Weather:
    """One day. `light` multiplies every colour; `sun` is the shadow (x, z) in metres of one metre of height.

    zenith, haze: RGB of the sky above and at the horizon; balance: RGB factors of the camera's white balance.
    """

    kind: str
    light: float
    sun: Optional[tuple[float, float]]
    zenith: np.ndarray
    haze: np.ndarray
    balance: np.ndarray
    cloud_cover: float

    @property
    def is_dark(self) -> bool:
        """Lamps and windows are lit."""
        return self.kind == 'dusk'

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Weather:
        """A random day."""
        kind = KINDS[rng.integers(3)]
        angle = rng.uniform(0, 2 * np.pi)
        length = rng.uniform(0.4, 1.5)
        zenith, haze = {
            'sun': ((95, 145, 215), (208, 222, 236)), 'overcast': ((188, 192, 198), (222, 222, 222)),
            'dusk': ((92, 98, 130), (196, 168, 150))}[kind]
        return cls(
            kind=kind, light={'sun': 1.15, 'overcast': 0.9, 'dusk': 0.55}[kind] * rng.uniform(0.85, 1.15),
            sun=(length * np.cos(angle), length * np.sin(angle)) if kind == 'sun' else None,
            zenith=np.array(zenith) * rng.uniform(0.9, 1.08, 3), haze=np.array(haze) * rng.uniform(0.95, 1.05, 3),
            balance=rng.uniform(0.93, 1.07, 3),
            cloud_cover={'sun': rng.uniform(0, 0.6), 'overcast': 0.15, 'dusk': rng.uniform(0, 0.5)}[kind])

    def paint_sky(self, width: int, height: int, horizon_px: float, rng: np.random.Generator) -> np.ndarray:
        """(height, width, 4) uint8, RGB and label: the sky with clouds, down to below the horizon."""
        ramp = np.clip(np.arange(height) / max(horizon_px, 1.0), 0, 1)[:, None, None] ** 1.4
        sky = self.zenith * (1 - ramp) + self.haze * ramp
        clouds = sum(cv2.resize(rng.normal(0, 1, (4 * 2 ** octave, 6 * 2 ** octave)).astype(np.float32), (width, height),
                                interpolation=cv2.INTER_CUBIC) / 1.7 ** octave for octave in range(4))
        cover = np.clip((clouds - 0.2) * self.cloud_cover, 0, 0.85)[..., None]
        rgb = sky * (1 - cover) + np.minimum(self.haze * 1.08, 250) * cover
        label = np.full((height, width, 1), SKY, float)
        return np.clip(np.concatenate([rgb, label], 2), 0, 255).astype(np.uint8)
