# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""House fronts, painted once per street: bricks, plaster or stone, windows, doors, shops."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources.street.classes import BUILDING
from fanet_ros.sources.street.texture import Texture, grain, ramp

TEXELS_PER_M = 32
BRICKS = ((142, 98, 80), (124, 86, 72), (168, 144, 112), (184, 162, 126), (108, 82, 72), (152, 118, 96))
PLASTERS = ((206, 198, 182), (222, 218, 208), (196, 180, 150), (180, 176, 172), (214, 196, 176), (168, 172, 176))
STONES = ((176, 160, 130), (150, 142, 130), (188, 178, 156))
GLASS_DARK, GLASS_SKY, WARM = (38, 44, 50), (122, 136, 150), (255, 208, 132)
SHOP_COLORS = ((24, 60, 48), (30, 40, 84), (120, 26, 30), (32, 32, 34),
               (196, 160, 40), (216, 214, 206), (20, 96, 130), (98, 40, 90))


class Facade:
    """One front, `length_m` by `height_m`, and the plain wall of its gable."""

    def __init__(self, kind: str, storeys: int, length_m: float, light: float, tone: float, lit: bool,
                 rng: np.random.Generator) -> None:
        self.kind, self.length_m = kind, length_m
        self._storey = rng.uniform(2.6, 3.2) if kind != 'stone' else rng.uniform(3.2, 4.0)
        self.height_m = storeys * self._storey + 0.5
        self.is_flat = kind == 'office' or (kind == 'blank' and rng.random() < 0.7)
        self._rng, self._lit = rng, lit
        height, width = int(self.height_m * TEXELS_PER_M), int(length_m * TEXELS_PER_M)
        plastered = 'brick' if rng.random() < 0.5 else 'plaster'
        material = {'brick': 'brick', 'shop': plastered, 'georgian': 'plaster', 'render': 'plaster', 'office': 'panel',
                    'stone': 'stone', 'blank': 'brick'}[kind]
        colors = {'brick': BRICKS, 'plaster': PLASTERS, 'panel': PLASTERS[:2] + BRICKS[3:4], 'stone': STONES}[material]
        self.color = np.array(colors[rng.integers(len(colors))], float) * rng.uniform(0.75, 1.08)
        self._glow = np.zeros((height, width, 1), np.float32)
        self._front = _wall(material, self.color, height, width, rng)
        gable = _wall(material, self.color * rng.uniform(0.8, 1.0), height, int(6 * TEXELS_PER_M), rng)
        self._paint(storeys)
        shaded = self._front * ramp(height, 1.04, 0.92) * light * tone
        self.front = Texture(shaded * (1 - self._glow) + self._front * self._glow, BUILDING)
        self.gable = Texture(gable * light, BUILDING)       # its tone depends on the plot: see building()

    def _box(self, x0: float, x1: float, y0: float, y1: float, color: object, glow: bool = False) -> None:
        """Fill a rectangle of the front, given in metres from its left edge and from the ground."""
        top = self._front.shape[0]
        part = np.s_[max(top - round(y1 * TEXELS_PER_M), 0):max(top - round(y0 * TEXELS_PER_M), 0),
                     max(round(x0 * TEXELS_PER_M), 0):max(round(x1 * TEXELS_PER_M), 0)]
        self._front[part] = color
        self._glow[part] = 0.9 if glow else 0.0

    def _window(self, x0: float, x1: float, y0: float, y1: float, frame: object,
                bars: tuple[int, int] = (1, 1)) -> None:
        rng = self._rng
        self._box(x0 - 0.07, x1 + 0.07, y0 - 0.14, y0, np.minimum(self.color * 1.2, 225))         # sill
        self._box(x0 - 0.05, x1 + 0.05, y1, y1 + 0.16, self.color * rng.uniform(0.85, 1.15))        # lintel
        self._box(x0, x1, y0, y1, frame)
        glow = self._lit and rng.random() < 0.35
        columns, rows = bars
        for column in range(columns + 1):
            for row in range(rows + 1):
                left, right = (x0 + 0.05 + (x1 - x0 - 0.05) * at / (columns + 1) for at in (column, column + 1))
                low, high = (y0 + 0.05 + (y1 - y0 - 0.05) * at / (rows + 1) for at in (row, row + 1))
                self._pane(left, right - 0.05, low, high - 0.05, glow)
        # shadow of the reveal
        self._box(x0, x1, y1 - 0.08, y1, np.asarray(frame) * 0.6)

    def _pane(self, x0: float, x1: float, y0: float, y1: float, glow: bool) -> None:
        rng = self._rng
        share = np.clip(rng.beta(0.8, 1.6) + rng.uniform(-0.1, 0.1), 0, 1)
        color = np.array(GLASS_DARK) * (1 - share) + np.array(GLASS_SKY) * share
        if glow:
            color = np.array(WARM) * rng.uniform(0.5, 1.0)
        self._box(x0, x1, y0, y1, color, glow)
        if not glow:        # reflections, bright at the top; sometimes curtains
            self._box(x0, x1, y0 + (y1 - y0) * rng.uniform(0.4, 0.8), y1, color * 1.25)
            if rng.random() < 0.25:
                self._box(x0, x0 + (x1 - x0) * rng.uniform(0.2, 0.5), y0, y1, (168, 162, 152))

    def _paint(self, storeys: int) -> None:
        rng, storey, length = self._rng, self._storey, self.length_m
        frame = np.array((226, 224, 216)) if rng.random() < 0.7 else np.array(SHOP_COLORS[rng.integers(4)])
        self._box(0, length, 0, 0.35, self.color * 0.68)
        self._box(0, length, self.height_m - 0.28, self.height_m, np.minimum(self.color * 1.12, 225))
        self._box(0, length, self.height_m - 0.36, self.height_m - 0.28, self.color * 0.6)
        first = 0
        if self.kind == 'shop':
            self._shop()
            first = 1
        if self.kind == 'office':
            for level in range(storeys):
                self._window(0.2, length - 0.2, level * storey + 0.9, level * storey + storey - 0.35, (70, 72, 76),
                             (int(length / rng.uniform(0.9, 1.6)), 0))
            return
        width, tall = rng.uniform(0.85, 1.35), rng.uniform(1.35, 1.75) + 0.25 * (self.kind in ('georgian', 'stone'))
        count = 1 if self.kind == 'blank' else max(int(length / rng.uniform(2.0, 3.2)), 2)
        bars = (1, 1) if self.kind != 'georgian' else (2, 3)
        door = rng.integers(count) if first == 0 else -1
        for level in range(first, storeys):
            if self.kind == 'blank' and rng.random() < 0.6:
                continue
            for number in range(count):
                middle = length * (number + 0.5) / count
                base = level * storey + 0.9
                if level == 0 and number == door:
                    self._door(middle, frame)
                elif level == 0 and self.kind == 'brick' and count == 2:        # a bay
                    self._box(middle - 1.25, middle + 1.25, 0, 2.7, np.minimum(self.color * 1.15, 215))
                    self._window(middle - 1.05, middle + 1.05, 0.85, 2.45, frame, (2, 0))
                else:
                    top = base + tall * rng.choice([1.0, 1.0, 0.92])
                    self._window(middle - width / 2, middle + width / 2, base, top, frame, bars)
        if rng.random() < 0.6:                                                  # a downpipe
            at = rng.uniform(0.1, length - 0.2)
            self._box(at, at + 0.1, 0, self.height_m - 0.3, self.color * 0.42)

    def _door(self, middle: float, frame: np.ndarray) -> None:
        self._box(middle - 0.65, middle + 0.65, 0, 2.75, frame * 0.9)
        paint = np.array(SHOP_COLORS[self._rng.integers(len(SHOP_COLORS))]) * 0.8
        self._box(middle - 0.5, middle + 0.5, 0.12, 2.1, paint)
        self._pane(middle - 0.45, middle + 0.45, 2.2, 2.6, self._lit)
        self._box(middle - 0.7, middle + 0.7, 0, 0.12, (150, 146, 138))

    def _shop(self) -> None:
        rng, length, top = self._rng, self.length_m, self._storey
        color = np.array(SHOP_COLORS[rng.integers(len(SHOP_COLORS))], float)
        self._box(0, length, 0, top, color * rng.uniform(0.6, 0.95))
        self._box(0.1, length - 0.1, top - 0.72, top - 0.1, color, self._lit and rng.random() < 0.6)
        text, at = (235, 230, 215) if color.mean() < 120 else (40, 40, 44), rng.uniform(0.6, 1.8)
        while at < length - rng.uniform(0.8, 2.5):                              # illegible letters
            self._box(at, at + rng.uniform(0.1, 0.3), top - 0.56, top - 0.26, text, self._lit)
            at += rng.uniform(0.25, 0.5)
        panes = int(rng.integers(2, 5))
        for number in range(panes):
            x0, x1 = 0.25 + (length - 0.5) * number / panes, (length - 0.5) * (number + 1) / panes + 0.1
            if number == panes // 2:
                self._pane(x0 + 0.3, min(x0 + 1.3, x1), 0.1, 2.1, self._lit)
                continue
            glow = self._lit and rng.random() < 0.8
            self._pane(x0, x1, 0.55, top - 0.85, glow)
            for _ in range(6):                                                  # goods, and posters on the glass
                x, y = rng.uniform(x0, max(x1 - 0.5, x0 + 0.1)), rng.uniform(0.55, 1.3)
                self._box(x, min(x + rng.uniform(0.15, 0.5), x1), y, y + rng.uniform(0.1, 0.6), rng.uniform(20, 190, 3),
                          glow)


def _wall(material: str, color: np.ndarray, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A bare wall, (height, width, 3) float32."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    wall = np.ones((height, width, 3), np.float32) * color.astype(np.float32)
    if material == 'brick':
        course = rows // 3
        shade = rng.normal(1, 0.09, (height // 3 + 1, width // 8 + 2)).astype(np.float32)
        wall *= shade[course, (columns + 4 * (course % 2)) // 8][..., None]
        wall[(rows % 3 == 0) & (columns >= 0)] *= 1.06 if color.mean() < 110 else 0.92
    elif material == 'stone':
        course = rows // 12
        shade = rng.normal(1, 0.07, (height // 12 + 1, width // 22 + 2)).astype(np.float32)
        wall *= shade[course, (columns + 11 * (course % 2)) // 22][..., None]
        wall[(rows % 12 == 0) & (columns >= 0)] *= 0.82
        wall[((columns + 11 * (course % 2)) % 22 == 0)] *= 0.85
    elif material == 'panel':
        wall[(rows % 48 == 0) & (columns >= 0)] *= 0.8
        wall[(columns % 64 == 0) & (rows >= 0)] *= 0.8
    streaks = cv2.GaussianBlur(rng.normal(0, 1, (8, width)).astype(np.float32), (5, 1), 1.0)
    streaks = cv2.resize(streaks, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    return wall * grain(rng, height, width, 0.04, 0.04, 0.05) * (1 + 0.05 * streaks)
