# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Street furniture: lamp posts, signs, traffic lights, bollards, bins."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources.street.classes import POLE, SIGN
from fanet_ros.sources.street.sketch import Sketch
from fanet_ros.sources.street.texture import OPAQUE, Texture, grain

UNLABELLED = 255
METAL = ((96, 100, 98), (70, 74, 74), (130, 134, 134), (46, 58, 50))
RED, BLUE, WHITE, YELLOW, GREEN = (186, 30, 36), (28, 66, 160), (228, 228, 222), (222, 178, 40), (24, 92, 60)
LAMPS = (((255, 50, 36), (60, 20, 18)), ((255, 176, 40), (60, 46, 18)), ((60, 255, 170), (18, 50, 34)))    # on, off
BINS = ((34, 36, 36), (30, 70, 46), (120, 124, 122), (150, 120, 40))
SIGN_TEXELS = 72


def _post(sketch: Sketch, x: float, radius: float, height: float, color: np.ndarray) -> None:
    sketch.upright(x - radius, x + radius, 0, height, 0, color * 0.8, POLE)
    # Round, lit from one side.
    sketch.upright(x - radius * 0.7, x + radius * 0.1, 0, height, 0, color * 1.15, POLE)
    sketch.shade_under(x, -0.15, 0.15, radius + 0.12, 110.0)
    sketch.shade_upright(x, 0, radius, height)


def lamp_post(sketch: Sketch, x: float, rng: np.random.Generator, *, lit: bool) -> None:
    """A tall post with an arm over the road, or an old-fashioned one with the lamp on top."""
    color = np.array(METAL[rng.integers(len(METAL))]) * rng.uniform(0.8, 1.15)
    if rng.random() < 0.25:
        height = rng.uniform(3.2, 4.2)
        _post(sketch, x, 0.06, height, color * 0.6)
        sketch.polygon([(x - 0.13, height, 0), (x + 0.13, height, 0), (x + 0.22, height + 0.5, 0),
                       (x - 0.22, height + 0.5, 0)], (255, 226, 160) if lit else (150, 152, 146), POLE, glows=lit)
        sketch.polygon([(x - 0.25, height + 0.5, 0), (x + 0.25, height + 0.5, 0),
                       (x, height + 0.75, 0)], color * 0.5, POLE)
        return
    height, reach = rng.uniform(6, 10), -np.sign(x) * rng.uniform(0.9, 2.0)
    _post(sketch, x, 0.08, height, color)
    _post(sketch, x, 0.12, 1.2, color)
    sketch.polygon([(x, height - 0.1, 0), (x + reach, height + 0.22, 0),
                   (x + reach, height + 0.32, 0), (x, height + 0.02, 0)], color, POLE)
    tip = x + reach
    left, right = sorted((tip, tip + np.sign(reach) * 0.7))
    sketch.upright(left, right, height + 0.16, height + 0.36, 0,
                   (255, 222, 150) if lit else color * 1.1, POLE, glows=lit)


class SignFace:
    """The face of a sign, `width_m` by `height_m`."""

    def __init__(self, light: float, rng: np.random.Generator) -> None:
        kind = ('ring', 'triangle', 'disc', 'board', 'board', 'advert')[rng.integers(6)]
        self.width_m, self.height_m = 0.7, 0.7
        if kind == 'board':
            self.width_m, self.height_m = rng.uniform(0.5, 1.6), rng.uniform(0.5, 1.1)
        elif kind == 'advert':
            self.width_m, self.height_m = 1.2, 1.75
        self.base_m = 0.35 if kind == 'advert' else rng.uniform(2.0, 2.5)
        h, w = int(self.height_m * SIGN_TEXELS), int(self.width_m * SIGN_TEXELS)
        face, cover, middle = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.uint8), (w // 2, h // 2)
        if kind in ('ring', 'disc'):
            cv2.circle(cover, middle, w // 2 - 1, OPAQUE, -1)
            face[:] = RED if kind == 'ring' else BLUE
            if kind == 'ring':
                cv2.circle(face, middle, int(w * 0.36), WHITE, -1)
            bar = ((int(w * 0.3), int(h * 0.43)), (int(w * 0.7), int(h * 0.57)))
            cv2.rectangle(face, *bar, RED if kind == 'ring' else WHITE, -1)
        elif kind == 'triangle':
            for scale, color in ((1.0, RED), (0.68, WHITE)):
                points = np.array([(0, -0.62), (0.5, 0.3), (-0.5, 0.3)]) * scale * (w - 2) + (w / 2, h * 0.62)
                points[:, 1] = np.clip(points[:, 1], 0, h - 1)
                cv2.fillPoly(face, [points.astype(np.int32)], color)
                if scale == 1:
                    cv2.fillPoly(cover, [points.astype(np.int32)], OPAQUE)
            cv2.rectangle(face, (w // 2 - 2, int(h * 0.45)), (w // 2 + 2, int(h * 0.72)), (20, 20, 20), -1)
        else:
            cover[:] = OPAQUE
            face[:] = (BLUE, GREEN, WHITE, YELLOW)[rng.integers(4)] if kind == 'board' else rng.uniform(20, 230, 3)
            ink = WHITE if face.mean() < 150 else (24, 24, 28)
            if kind == 'advert':
                cv2.circle(face, (int(w * rng.uniform(0.3, 0.7)), int(h * 0.4)),
                           int(w * 0.3), rng.uniform(20, 230, 3).tolist(), -1)
            for y in range(int(h * (0.15 if kind == 'board' else 0.75)), int(h * 0.9) - 4, 11):
                cv2.line(face, (int(w * 0.12), y), (int(w * rng.uniform(0.4, 0.88)), y), ink, 4)
            cv2.rectangle(face, (1, 1), (w - 2, h - 2), ink, 2)
        self.texture = Texture(face * grain(rng, h, w, 0.03, 0.05) * light * rng.uniform(0.85, 1.05), SIGN, cover)


def sign(sketch: Sketch, face: SignFace, x: float) -> None:
    """A sign on its post, or an advertising board on the ground."""
    if face.base_m < 1:
        _post(sketch, x, 0.5, 0.4, np.array((60, 62, 64)))
    else:
        _post(sketch, x, 0.04, face.base_m + face.height_m * 0.8, np.array((128, 130, 130)))
    sketch.shade_upright(x, 0, face.width_m / 2, face.base_m + face.height_m, face.base_m)
    sketch.picture(face.texture, x, face.width_m, face.height_m, face.base_m)


def traffic_light(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """Three lamps on a black board with a white edge; the post is a pole, the head a sign, as in CamVid."""
    _post(sketch, x, 0.06, 2.4, np.array((54, 56, 56)))
    sketch.upright(x - 0.24, x + 0.24, 2.2, 3.35, 0, (190, 190, 186), SIGN)
    sketch.upright(x - 0.21, x + 0.21, 2.23, 3.32, 0, (26, 27, 27), SIGN)
    on = rng.integers(3)
    for lamp, (color, dim) in enumerate(LAMPS):
        sketch.ellipse((x, 3.12 - 0.34 * lamp, 0), 0.11, 0.11, color if on == lamp else dim, SIGN, sides=8,
                       glows=on == lamp)


def bollard(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A short post that keeps cars off the pavement."""
    dark = rng.random() < 0.6
    _post(sketch, x, 0.08, 0.95, np.array((38, 39, 40) if dark else (150, 146, 138)))
    if dark:
        sketch.upright(x - 0.08, x + 0.08, 0.72, 0.82, 0, (206, 206, 200), POLE)


def bin_(sketch: Sketch, x: float, rng: np.random.Generator) -> None:
    """A litter bin, unlabelled because it belongs to no class."""
    color = np.array(BINS[rng.integers(len(BINS))]) * rng.uniform(0.8, 1.1)
    sketch.shade_under(x, -0.3, 0.3, 0.34)
    sketch.shade_upright(x, 0, 0.25, 1.1)
    sketch.upright(x - 0.27, x + 0.27, 0, 1.05, 0, color * 0.85, UNLABELLED)
    sketch.upright(x - 0.2, x - 0.02, 0, 1.05, 0, color * 1.1, UNLABELLED)
    sketch.upright(x - 0.3, x + 0.3, 1.02, 1.14, 0, color * 0.6, UNLABELLED)
    sketch.upright(x - 0.17, x + 0.17, 0.78, 0.92, 0, (14, 14, 14), UNLABELLED)
