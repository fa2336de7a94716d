# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cars, vans and buses: painted flanks, tails and noses on a simple body."""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fanet_ros.sources.street.classes import CAR
from fanet_ros.sources.street.sketch import Sketch
from fanet_ros.sources.street.texture import OPAQUE, Texture, grain, ramp

TEXELS_PER_M = 64
PAINTS = ((150, 26, 28), (30, 42, 96), (176, 178, 182), (30, 31, 34), (222, 222, 218), (58, 74, 64),
          (104, 108, 114), (84, 20, 30), (56, 84, 128), (196, 198, 200), (44, 46, 50), (150, 142, 120))
GLASS = np.array((34, 40, 46))
TYRE = (22, 22, 23)
WHEEL_M = 0.31


@dataclass(frozen=True)
class Body:
    """Metres; `tail` and `nose`: where the windows at that end begin and end, as fractions of the length, from that end."""

    length: tuple[float, float]
    height: tuple[float, float]
    half: float
    waist: float
    tail: tuple[float, float]
    nose: tuple[float, float]
    roof: float                 # width of the roof, as a fraction of the body's


BODIES = {
    'hatch': Body((3.6, 4.2), (1.40, 1.52), 0.83, 0.92, (0.02, 0.13), (0.25, 0.43), 0.76),
    'saloon': Body((4.3, 4.8), (1.38, 1.46), 0.87, 0.93, (0.15, 0.29), (0.27, 0.43), 0.74),
    'estate': Body((4.3, 4.8), (1.44, 1.60), 0.87, 0.94, (0.01, 0.08), (0.26, 0.43), 0.78),
    'suv': Body((4.2, 4.7), (1.65, 1.85), 0.92, 1.08, (0.01, 0.06), (0.25, 0.38), 0.84),
    'van': Body((4.8, 5.8), (1.95, 2.5), 0.95, 1.15, (0.0, 0.01), (0.10, 0.26), 0.93),
    'bus': Body((9.5, 11.0), (2.9, 3.1), 1.2, 1.3, (0.0, 0.004), (0.003, 0.012), 0.99)}
KINDS = ('hatch', 'hatch', 'hatch', 'saloon', 'saloon', 'estate', 'estate', 'suv', 'van')


class Car:
    """Appearance of one vehicle."""

    def __init__(self, kind: str, light: float, lit: bool, flank_tone: float, rng: np.random.Generator) -> None:
        self.kind, self.body, self._rng, self._light, self._lit = kind, BODIES[kind], rng, light, lit
        self.paint = np.array(PAINTS[rng.integers(len(PAINTS))]) * rng.uniform(0.85, 1.1)
        if kind == 'bus':
            self.paint = np.array(((170, 30, 34), (40, 80, 150), (214, 214, 206))[rng.integers(3)], float)
        self.length, self.height = rng.uniform(*self.body.length), rng.uniform(*self.body.height)
        flank = self._flank() * flank_tone
        cover = self._flank_cover
        split = round((self.height - self.body.waist) * TEXELS_PER_M)
        self.flank = {}
        for facing in (False, True):
            way = -1 if facing else 1
            self.flank[facing] = tuple(
                Texture(flank[rows, ::way] * light, CAR, np.ascontiguousarray(cover[rows, ::way]))
                for rows in (slice(0, split), slice(split, None)))
        self.screens = {facing: self._screen(facing) for facing in (False, True)}
        self.ends = {facing: self._end(facing) for facing in (False, True)}
        self.lid = Texture(self.paint * ramp(24, 1.25, 0.95) * grain(rng, 24, 32, 0.02, 0.08) * light, CAR)

    def _flank(self) -> np.ndarray:
        rng, body, length, height, waist = self._rng, self.body, self.length, self.height, self.body.waist
        h, w = round(height * TEXELS_PER_M), round(length * TEXELS_PER_M)
        (tail0, tail1), (nose0, nose1) = ([share * length for share in shares] for shares in (body.tail, body.nose))

        def px(points: list[tuple[float, float]]) -> list[np.ndarray]:
            return [np.round([(x * TEXELS_PER_M, (height - y) * TEXELS_PER_M) for x, y in points]).astype(np.int32)]

        hull = [(0.03, 0.26), (0.0, 0.55), (0.03, waist * 0.97), (tail0, waist), (tail1, height - 0.05),
                (tail1 + 0.15, height), (length - nose1 - 0.15, height), (length - nose1, height - 0.04),
                (length - nose0, waist), (length - 0.15, waist * 0.84), (length - 0.02, waist * 0.62), (length, 0.4),
                (length - 0.05, 0.24)]
        cover = np.zeros((h, w), np.uint8)
        cv2.fillPoly(cover, px(hull), OPAQUE)
        edge = h - waist * TEXELS_PER_M
        shape = np.interp(np.arange(h), (0, h * 0.3, edge, edge + 5, h - 0.55 * TEXELS_PER_M, h),
                          (1.0, 0.95, 0.95, 1.28, 0.9, 0.5))
        flank = (self.paint * shape[:, None, None] * np.ones((1, w, 1))).astype(np.float32)
        inset = 0.07
        windows = [(tail0 + 0.18 + inset, waist + 0.02), (tail1 + 0.12 + inset, height - 0.1),
                   (length - nose1 - inset, height - 0.1), (length - nose0 - 0.22, waist + 0.02)]
        if self.kind == 'van':
            windows[0], windows[1] = (length * 0.62, waist + 0.02), (length * 0.62, height * 0.88)
            windows[2] = (length - nose1 - inset, height * 0.88)
        glass = np.zeros((h, w), np.uint8)
        cv2.fillPoly(glass, px(windows), 255)
        for pillar in np.arange(1.3, length, 1.5) if self.kind == 'bus' else (length * 0.47, length * 0.3):
            at = round(pillar * TEXELS_PER_M)
            glass[:, at - 3:at + 3] = 0
        reflection = np.linspace(2.3, 0.9, max(h - round(waist * TEXELS_PER_M), 1))
        tones = np.concatenate([reflection, np.ones(h - len(reflection))])
        flank[glass > 0] = (GLASS * tones[:, None, None] * np.ones((1, w, 1)))[glass > 0]
        for door in (length * 0.3, length * 0.47, length * 0.68):
            (x0, y0), (x1, y1) = px([(door, 0.35), (door, waist)])[0].tolist()
            cv2.line(flank, (x0, y0), (x1, y1), (self.paint * 0.55).tolist(), 1)
        flank[h - round(0.55 * TEXELS_PER_M) - 2:h - round(0.55 * TEXELS_PER_M)] *= 0.75
        for wheel in (0.17 * length, 0.82 * length):
            where = (round(wheel * TEXELS_PER_M), h - round(WHEEL_M * TEXELS_PER_M) - 1)
            cv2.circle(flank, where, round((WHEEL_M + 0.07) * TEXELS_PER_M), (12, 12, 13), -1)
            cv2.circle(flank, where, round(WHEEL_M * TEXELS_PER_M), TYRE, -1)
            cv2.circle(flank, where, round(0.2 * TEXELS_PER_M), (128, 130, 134), -1)
            for spoke in np.arange(5) * (2 * np.pi / 5) + rng.uniform(0, 1):
                reach = 0.16 * TEXELS_PER_M
                tip = (where[0] + round(reach * np.cos(spoke)), where[1] + round(reach * np.sin(spoke)))
                cv2.circle(flank, tip, 3, (48, 49, 50), -1)
            cv2.circle(cover, where, round(WHEEL_M * TEXELS_PER_M), OPAQUE, -1)
        self._box(flank, 0.0, 0.16, waist - 0.3, waist - 0.08, (150, 24, 22))
        self._box(flank, length - 0.22, length - 0.04, waist * 0.62, waist * 0.78, (214, 214, 206))
        self._flank_cover = cover
        return cv2.GaussianBlur(flank, (3, 3), 0.7) * grain(rng, h, w, 0.025, 0.03, 0.05)

    def _box(self, image: np.ndarray, x0: float, x1: float, y0: float, y1: float, color: object) -> None:
        top = image.shape[0] / TEXELS_PER_M
        rows = [max(round((top - y) * TEXELS_PER_M), 0) for y in (y1, y0)]
        image[rows[0]:rows[1], max(round(x0 * TEXELS_PER_M), 0):max(round(x1 * TEXELS_PER_M), 0)] = color

    def _screen(self, facing: bool) -> Texture:
        rng, w = self._rng, round(2 * self.body.half * TEXELS_PER_M)
        h = round(max(self.height - self.body.waist, 0.3) * TEXELS_PER_M * 1.2)
        image = np.ones((h, w, 3), np.float32) * self.paint.astype(np.float32) * 0.92
        if facing or self.kind != 'van':
            pane = image[round(h * 0.13):round(h * 0.97), round(w * 0.09):round(w * 0.91)]
            pane[:] = GLASS * ramp(pane.shape[0], rng.uniform(1.4, 3.2), 0.8)
            for seat in (0.22, 0.62):               # headrests, or heads of passengers
                at = round(pane.shape[1] * seat)
                pane[round(pane.shape[0] * 0.45):, at:at + round(w * 0.14)] *= 0.5
        else:
            image[round(h * 0.1):round(h * 0.5), round(w * 0.1):round(w * 0.45)] = GLASS
            image[round(h * 0.1):round(h * 0.5), round(w * 0.55):round(w * 0.9)] = GLASS
            image[:, w // 2 - 1:w // 2 + 1] *= 0.5
        return Texture(cv2.GaussianBlur(image, (3, 3), 0.7) * grain(rng, h, w, 0.03, 0.05) * self._light, CAR)

    def _end(self, facing: bool) -> Texture:
        """Nose or tail, from the ground to the bottom of the glass."""
        rng, half = self._rng, self.body.half
        top = self.body.waist * (0.86 if facing and self.kind not in ('van', 'bus') else 1.0)
        h, w = round(top * TEXELS_PER_M), round(2 * half * TEXELS_PER_M)
        image = (self.paint * ramp(h, 1.15, 0.7) * np.ones((1, w, 1))).astype(np.float32)
        cover, glow = np.zeros((h, w), np.uint8), np.zeros((h, w, 1), np.float32)
        cv2.rectangle(cover, (2, 3), (w - 3, h - round(0.22 * TEXELS_PER_M)), OPAQUE, -1)
        cv2.rectangle(cover, (6, 0), (w - 7, 4), OPAQUE, -1)
        bumper = np.array((52, 54, 56)) if rng.random() < 0.4 else self.paint * 0.8
        self._box(image, 0, 2 * half, 0.24, 0.48, bumper)
        self._box(image, 0, 2 * half, 0.48, 0.50, self.paint * 0.45)
        for side in (-1, 1):
            middle = half + side * (half - 0.2)
            self._box(image, middle - 0.14, middle + 0.14, 0.0, 0.24, TYRE)
            column = [max(round((middle + at) * TEXELS_PER_M), 0) for at in (-0.12, 0.12)]
            cover[h - round(0.26 * TEXELS_PER_M):, column[0]:column[1]] = OPAQUE
            low, high, wide = (0.52, 0.68, 0.22) if facing else (0.58, 0.86, 0.13)
            middle = half + side * (half - wide - 0.03)
            color = (255, 250, 226) if facing and self._lit else (196, 200, 202) if facing else (212, 30, 28)
            self._box(image, middle - wide, middle + wide, low, min(high, top - 0.04), color)
            self._box(glow, middle - wide, middle + wide, low, min(high, top - 0.04), 1.0 if self._lit else 0.25)
            if not facing:
                self._box(image, middle - wide, middle + wide, low + 0.08, low + 0.14, (226, 150, 60))
        if facing:
            self._box(image, half - 0.42, half + 0.42, 0.54, 0.66, (30, 31, 33))
            self._box(image, half - 0.5, half + 0.5, 0.28, 0.36, (24, 24, 26))
        self._box(image, half - 0.26, half + 0.26, 0.38, 0.49, (226, 226, 220) if facing else (222, 190, 52))
        for at in np.arange(half - 0.22, half + 0.2, 0.07).tolist():
            self._box(image, at, at + 0.035, 0.4, 0.47, (60, 60, 56))
        image = cv2.GaussianBlur(image, (3, 3), 0.7) * grain(rng, h, w, 0.03, 0.04)
        return Texture(image * (self._light * (1 - glow) + glow), CAR, cover)


def car(sketch: Sketch, look: Car, x: float, flank_side: float, *, facing: bool) -> None:
    """A vehicle centred on x, from z 0 to its length, `facing` the camera or not; flank_side -1: the left flank in the image."""
    body, length, height, waist = look.body, look.length, look.height, look.body.waist
    half, roof = body.half, body.half * body.roof
    sketch.shade_under(x, -0.2, length + 0.15, half + 0.06, 190.0)
    for edge in (x - half, x + half):
        sketch.shade_wall(edge, length, height * 0.9)
    for end in (0.3, length):
        sketch.shade_upright(x, end, half * 0.9, height * 0.9)
    (near0, near1), (far0, far1) = ((body.nose, body.tail) if facing else (body.tail, body.nose))
    near0, near1, far0, far1 = (share * length for share in (near0, near1, far0, far1))
    flank, top = x + flank_side * half, x + flank_side * roof
    end_top = waist * (0.86 if facing and look.kind not in ('van', 'bus') else 1.0)
    # First, so that a roof above the camera is hidden by the parts below it.
    sketch.polygon([(x - roof, height, near1), (x + roof, height, near1), (x + roof, height, length - far1),
                    (x - roof, height, length - far1)], np.minimum(look.paint * 1.15, 235), CAR)
    sketch.polygon([(flank, 0.3, 0.1), (flank, 0.3, length * 0.9), (x, 0.3, length * 0.9), (x, 0.3, 0.1)],
                   (16, 16, 17), CAR)
    sketch.along(flank, 0.3, end_top * 0.9, 0.0, length * 0.9, look.paint * 0.7, CAR)      # behind rounded corners
    upper, lower = look.flank[facing]
    sketch.textured([(flank, waist, 0), (flank, waist, length), (top, height, length), (top, height, 0)], upper)
    sketch.textured([(flank, 0, 0), (flank, 0, length), (flank, waist, length), (flank, waist, 0)], lower)
    sketch.textured([(x - half, waist, near0), (x + half, waist, near0), (x + roof, height, near1),
                     (x - roof, height, near1)], look.screens[facing])
    if near0 > 0.12:
        inner = half * 0.96
        sketch.textured([(x - half, end_top, 0), (x + half, end_top, 0), (x + inner, waist, near0),
                         (x - inner, waist, near0)], look.lid)
    sketch.textured([(x - half, 0, 0), (x + half, 0, 0), (x + half, end_top, 0), (x - half, end_top, 0)],
                    look.ends[facing])
