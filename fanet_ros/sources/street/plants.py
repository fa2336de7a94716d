# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trees, bushes and hedges, painted once per street."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources.street.classes import TREE
from fanet_ros.sources.street.sketch import Sketch
from fanet_ros.sources.street.texture import OPAQUE, SEEN_THROUGH, Texture, grain, ramp

TEXELS_PER_M = 36
KINDS = ('broad', 'broad', 'bare', 'bare', 'poplar', 'conifer', 'bush')
BARK = ((74, 64, 54), (96, 88, 78), (60, 54, 48))
GREENS = ((66, 84, 40), (84, 96, 46), (52, 72, 40), (104, 98, 52), (126, 96, 44))


class Tree:
    """The texture of one tree, `width_m` by `height_m`."""

    def __init__(self, kind: str, light: float, sun_x: float, rng: np.random.Generator) -> None:
        self.kind = kind
        self.width_m, self.height_m = {
            'broad': (rng.uniform(4.5, 7.5), rng.uniform(6, 10)), 'bare': (rng.uniform(5, 8), rng.uniform(7, 12)),
            'poplar': (rng.uniform(2.4, 3.2), rng.uniform(9, 13)), 'conifer': (rng.uniform(3, 4.5), rng.uniform(6, 11)),
            'bush': (rng.uniform(1.6, 3.0), rng.uniform(1.2, 2.4))}[kind]
        self._rng, self._sun_x = rng, sun_x
        height, width = int(self.height_m * TEXELS_PER_M), int(self.width_m * TEXELS_PER_M)
        self._rgb: np.ndarray = np.zeros((height, width, 3), np.uint8)
        self._cover: np.ndarray = np.zeros((height, width), np.uint8)
        self._bark = np.array(BARK[rng.integers(len(BARK))], float)
        if kind == 'bare':
            self._branches()
        else:
            self._leaves()
        shaded = self._rgb * grain(rng, height, width, 0.10) * ramp(height, 1.06, 0.9)
        self.texture = Texture(shaded * light, TREE, self._cover)

    def _stroke(self, start: np.ndarray, end: np.ndarray, thickness: float, tone: float) -> None:
        (x0, y0), (x1, y1) = ([int(value * 8) for value in point] for point in (start, end))
        cv2.line(self._rgb, (x0, y0), (x1, y1), (self._bark * tone).tolist(), max(round(thickness), 1), cv2.LINE_8, 3)
        cv2.line(self._cover, (x0, y0), (x1, y1), OPAQUE, max(round(thickness), 1), cv2.LINE_8, 3)

    def _branches(self) -> None:
        rng, (height, width) = self._rng, self._cover.shape
        tips: list[tuple[np.ndarray, float, float, float]] = [(np.zeros(2), -np.pi / 2, 0.27, max(0.016 * height, 6.0))]
        strokes: list[tuple[np.ndarray, np.ndarray, float]] = []
        for depth in range(7):
            following = []
            for start, angle, length, thickness in tips:
                end = start + length * np.array([np.cos(angle), np.sin(angle)])
                strokes.append((start, end, thickness))
                for turn in rng.normal((-0.42, 0.42, 0.0), 0.17)[:2 if rng.random() < 0.6 or depth > 4 else 3]:
                    lift = 0.12 * (-np.pi / 2 - angle)
                    following.append((end, angle + turn + lift, length * rng.uniform(0.66, 0.88), thickness * 0.66))
            tips = following
        ends = np.array([end for _, end, _ in strokes])
        low, high = ends.min(0), np.maximum(ends.max(0), 0)
        scale = (np.array([width, height]) - 6) / (high - low)
        for start, end, thickness in strokes:
            self._stroke((start - low) * scale + 3, (end - low) * scale + 3, max(thickness, 2), rng.uniform(0.7, 1.15))
        # The trunk must meet the ground in the middle of the texture.
        shift = np.array([[1, 0, width / 2 - (-low[0] * scale[0] + 3)], [0, 1, 2]], np.float32)
        self._rgb, self._cover = (cv2.warpAffine(part, shift, (width, height)) for part in (self._rgb, self._cover))
        # The air between the twigs belongs to the tree, as human annotators label it.
        small = cv2.resize(self._cover, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        filled = cv2.morphologyEx((small > 20).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        smooth = cv2.resize(cv2.GaussianBlur(filled * np.uint8(255), (9, 9), 2), (width, height))
        hull = (smooth > 127).astype(np.uint8) * np.uint8(SEEN_THROUGH)
        self._cover = np.maximum(self._cover, hull)

    def _leaves(self) -> None:
        rng, (height, width) = self._rng, self._cover.shape
        green = np.array(GREENS[rng.integers(len(GREENS))], float) * rng.uniform(0.85, 1.15)
        if self.kind == 'conifer':
            green = np.array((44, 62, 42)) * rng.uniform(0.8, 1.2)
        trunk = 0.0 if self.kind == 'bush' else max(0.011 * height, 5.0)
        low = {'broad': 0.72, 'poplar': 0.88, 'conifer': 0.93, 'bush': 1.0}[self.kind]
        if trunk:
            for turn in (-0.25, 0.0, 0.25) if self.kind == 'broad' else (0.0,):
                base = np.array([width / 2, height * low * 0.92])
                self._stroke(base, base + height * 0.3 * np.array([np.sin(turn), -np.cos(turn)]), trunk * 0.6, 0.8)
            self._stroke(np.array([width / 2, height - 1.0]), np.array([width / 2, height * low * 0.8]), trunk, 0.9)
            self._stroke(np.array([width / 2 - trunk * 0.3, height - 1.0]),
                         np.array([width / 2 - trunk * 0.3, height * low * 0.8]), trunk * 0.3, 1.2)
        clumps = self._clumps(low)
        for x, y, radius in clumps:
            count = int(26 + radius * radius * 0.16)
            across, up = np.clip(rng.normal(0, 0.48, (2, count)), -1.15, 1.15) * radius
            # Brighter above and towards the sun, darker inside and below.
            tones = 0.72 - 0.36 * up / radius + 0.18 * self._sun_x * across / radius + rng.normal(0, 0.13, count)
            sizes = rng.integers(2, 5, count)
            for dx, dy, tone, size in zip(across.tolist(), up.tolist(), tones.tolist(), sizes.tolist()):
                where = (int(x + dx), int(y + dy))
                cv2.circle(self._rgb, where, size, (green * min(max(tone, 0.25), 1.5)).tolist(), -1)
                cv2.circle(self._cover, where, size, OPAQUE, -1)
        gaps = rng.random(self._cover.shape) < 0.015
        self._cover[gaps & (self._cover > 0)] = SEEN_THROUGH

    def _clumps(self, low: float) -> list[tuple[float, float, float]]:
        rng, (height, width) = self._rng, self._cover.shape
        clumps = []
        count = {'broad': 34, 'poplar': 26, 'conifer': 30, 'bush': 12}[self.kind]
        for number in range(count):
            share = (number + rng.uniform(0, 1)) / count            # from bottom to top
            if self.kind == 'conifer':
                spread, radius = (1 - share) * 0.42 + 0.02, (0.10 + 0.12 * (1 - share)) * width
            elif self.kind == 'poplar':
                spread, radius = 0.24 * np.sin(np.pi * (0.15 + 0.8 * share)), 0.24 * width
            else:       # within a ball: the edge of the texture would cut clumps off
                radius, angle, far = rng.uniform(0.11, 0.19) * width, rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
                across, up = width / 2 - 1.2 * radius, height * low / 2 - 1.2 * radius
                clumps.append((width / 2 + far * max(across, 0) * np.cos(angle),
                               height * low / 2 - far * max(up, 0) * np.sin(angle), radius))
                continue
            margin = radius * 0.9
            y = np.clip(height * low * (1 - share), margin, height * low)
            clumps.append((np.clip(width / 2 + rng.uniform(-1, 1) * spread * width, margin, width - margin), y, radius))
        return clumps


def tree(sketch: Sketch, look: Tree, x: float, scale: float) -> None:
    """Place it at x, `scale` times as large as painted."""
    width, height = look.width_m * scale, look.height_m * scale
    sketch.shade_under(x, -0.3, 0.3, 0.35, 90.0)
    if look.kind != 'bush':
        sketch.shade_upright(x, 0, 0.16, height * 0.45)
        for low, high, share in ((0.35, 0.95, 0.26), (0.45, 0.85, 0.4)):
            sketch.shade_upright(x, 0, width * share, height * high, height * low)
    else:
        sketch.shade_upright(x, 0, width * 0.4, height * 0.8)
    sketch.picture(look.texture, x, width, height)


class Hedge:
    """The texture of a hedge, `length_m` along the pavement."""

    def __init__(self, length_m: float, light: float, rng: np.random.Generator) -> None:
        self.length_m, self.height_m = length_m, rng.uniform(1.0, 2.6)
        height, width = int(self.height_m * 32), int(length_m * 32)
        leaf = grain(rng, height, width, 0.22, 0.20, 0.06)
        self.color = np.array(GREENS[rng.integers(4)]) * rng.uniform(0.75, 1.05)
        twigs = cv2.GaussianBlur(rng.normal(0, 1, (1, width)).astype(np.float32), (31, 1), 5) * 6
        outline = 2 + twigs + rng.normal(0, 1, (1, width))
        cover = np.where(np.arange(height)[:, None] > outline, OPAQUE, 0).astype(np.uint8)
        self.texture = Texture(self.color * leaf * ramp(height, 1.15, 0.65) * light, TREE, cover)


def hedge(sketch: Sketch, look: Hedge, side: float, x: float) -> None:
    """Place it at x on the left (-1) or right (1), starting at z 0, one metre deep."""
    length, height = look.length_m, look.height_m
    sketch.shade_wall(x, length, height)
    sketch.polygon([(x, 0, 0), (x + side, 0, 0), (x + side, height * 0.96, 0),
                   (x, height * 0.96, 0)], look.color * 0.8, TREE)
    sketch.wall(look.texture, x, length, height)
