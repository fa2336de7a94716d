# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Road, kerbs, pavement and verge: one long texture of the ground, sampled where each pixel's ray meets it."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources.street.character import Character
from fanet_ros.sources.street.classes import PAVEMENT, ROAD, TREE
from fanet_ros.sources.street.texture import grain
from fanet_ros.sources.street.view import View
from fanet_ros.sources.street.weather import Haze

TEXELS_PER_M = 26
PERIOD_M = 24               # the texture repeats along the street
HALF_WIDTH_M = 14.0         # beyond it the edge texels continue
WHITE, YELLOW = (214, 214, 206), (198, 164, 62)


class Ground:
    """The ground of one street. Adjacent classes have adjacent numbers, so that labels can be interpolated."""

    def __init__(self, character: Character, light: float, rng: np.random.Generator) -> None:
        texels = np.clip(_paint(character, rng), 0, 255)
        texels[..., :3] *= light
        self._texels = np.clip(texels, 0, 255).astype(np.uint8)
        self._levels: dict[tuple[int, int, int], np.ndarray] = {}

    def lay(self, pixels: np.ndarray, view: View, travelled_m: float, haze: Haze) -> None:
        """Paint the ground of a frame into `pixels` (H, W, 4): all rows below the horizon."""
        top = max(int(np.ceil(view.horizon_px)), 0)
        rows = np.arange(top, view.height)
        if not len(rows):
            return
        depth = view.ground_depth_m(rows)
        across = view.focal_px / depth              # px per metre
        shrink_x = np.clip(np.log2(TEXELS_PER_M / across) + 0.3, 0, 5).astype(int)
        shrink_z = np.clip(np.log2(TEXELS_PER_M * depth / (across * view.height_m)) - 0.2, 0, 8).astype(int)
        step = haze.steps(depth)
        key = (shrink_x * 16 + shrink_z) * 64 + step
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])).tolist()
        slopes = ((np.arange(view.width) + 0.5 - view.center_px) / view.focal_px).astype(np.float32)
        middle_m = (view.x_m - 0.5 * view.bend_per_m * depth * depth + HALF_WIDTH_M).astype(np.float32)
        x_m = slopes[None] * depth[:, None].astype(np.float32) + middle_m[:, None]
        z_m = depth + travelled_m % PERIOD_M
        for start, end in zip(starts, [*starts[1:], len(rows)]):
            level = self._level(int(shrink_x[start]), int(shrink_z[start]), int(step[start]), haze)
            height, width = level.shape[:2]
            columns = np.clip(x_m[start:end] * np.float32(width / (2 * HALF_WIDTH_M)) - np.float32(0.5), 0, width - 1)
            lines = ((z_m[start:end, None] * (height / PERIOD_M)) % height).astype(np.float32)
            cv2.remap(level, columns, np.repeat(lines, columns.shape[1], 1), cv2.INTER_LINEAR,
                      dst=pixels[top + start:top + end], borderMode=cv2.BORDER_WRAP)

    def _level(self, shrink_x: int, shrink_z: int, step: int, haze: Haze) -> np.ndarray:
        key = (shrink_x, shrink_z, step)
        if key not in self._levels:
            height, width = self._texels.shape[:2]
            size = (width >> shrink_x, max(height >> shrink_z, 2))
            small = cv2.resize(self._texels, size, interpolation=cv2.INTER_AREA)
            self._levels[key] = cv2.LUT(small, haze.tables[step]) if step else small
        return self._levels[key]


def _paint(character: Character, rng: np.random.Generator) -> np.ndarray:
    """The texture, (h, w, 4) float32: RGB and label, z along the rows."""
    height, width = PERIOD_M * TEXELS_PER_M, int(2 * HALF_WIDTH_M * TEXELS_PER_M)
    x = (np.arange(width) + 0.5) / TEXELS_PER_M - HALF_WIDTH_M
    z = (np.arange(height) + 0.5)[:, None] / TEXELS_PER_M
    out = np.empty((height, width, 4), np.float32)
    mottle = grain(rng, height, width, 0.10, 0.07, 0.05, 0.05)
    half, edge = character.road_half_m, character.wall_m
    road, behind = np.abs(x) < half, np.abs(x) > edge

    out[..., :3] = character.paving * mottle
    slab = rng.uniform(0.45, 0.9)
    joints = ((np.abs(x) - half) % slab < 0.03)[None] | (z % slab < 0.03)
    out[..., :3] *= np.where(joints, 0.8, 1.0)[..., None]
    cells = grain(rng, int(PERIOD_M / slab) + 1, int(2 * HALF_WIDTH_M / slab) + 1, 0.06)[..., 0]
    tones: np.ndarray = cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST)
    out[..., :3] *= tones[..., None]
    out[..., 3] = PAVEMENT
    if character.has_gardens:
        out[:, behind, :3] = (np.array((78, 92, 48)) * grain(rng, height, width, 0.16, 0.12, 0.08))[:, behind]
        out[:, behind, 3] = TREE
    if character.verge_m:
        verge = (np.abs(x) > half + 0.2) & (np.abs(x) < half + 0.2 + character.verge_m)
        out[:, verge, :3] = (np.array((82, 94, 50)) * grain(rng, height, width, 0.16, 0.12, 0.08))[:, verge]
        out[:, verge, 3] = TREE

    asphalt = character.asphalt * grain(rng, height, width, 0.13, 0.04, 0.03, 0.06)
    # Wheels polish two tracks in each lane, oil darkens the strip between them.
    lane = np.abs(np.abs(x) - half / 2)
    asphalt *= (1 + 0.05 * np.exp(-((lane - 0.75) / 0.3) ** 2) - 0.05 * np.exp(-(lane / 0.35) ** 2))[None, :, None]
    for _ in range(rng.integers(2, 8)):             # repaired patches
        x0, z0 = rng.uniform(-half, half), rng.uniform(0, PERIOD_M - 4)
        x1, z1 = min(x0 + rng.uniform(0.4, 2), half), z0 + rng.uniform(0.5, 4)
        part = np.s_[_texel(z0):_texel(z1), _column(x0):_column(x1)]
        asphalt[part] *= rng.choice([0.82, 0.9, 1.1])
    seam = (np.cumsum(rng.normal(0, 0.012, height)) % 1.0 * 0.3 + rng.uniform(-1, 1))
    asphalt[np.abs(x[None] - (seam - seam[::-1])[:, None] / 2 - rng.uniform(-1, 1)) < 0.025] *= 0.72
    out[:, road, :3] = asphalt[:, road]
    out[:, road, 3] = ROAD

    gutter = road & (np.abs(x) > half - 0.3)
    out[:, gutter, :3] *= 0.82
    wear = grain(rng, height, width, 0.12, 0.10)
    for mask, color in _lines(character, x, z):
        mask = mask & road[None]
        out[..., :3][mask] = (np.array(color) * wear)[mask]
    kerb = (np.abs(x) >= half) & (np.abs(x) < half + 0.16)
    stones = np.minimum(character.paving * 1.2, 190) * mottle * np.where(z % 0.9 < 0.03, 0.75, 1.0)[..., None]
    out[:, kerb, :3] = stones[:, kerb]
    foot = (np.abs(x) >= half) & (np.abs(x) < half + 0.04)
    out[:, foot, :3] *= 0.6
    return out


def _lines(character: Character, x: np.ndarray, z: np.ndarray) -> list[tuple[np.ndarray, tuple[int, int, int]]]:
    """Road markings: masks (h, w) and colours."""
    half, lines = character.road_half_m, []
    if character.middle == 'dashes':
        lines.append(((np.abs(x) < 0.06)[None] & (z % 6.0 < 2.5), WHITE))
    elif character.middle == 'warning':
        lines.append(((np.abs(x) < 0.06)[None] & (z % 6.0 < 4.2), WHITE))
    elif character.middle == 'double':
        lines.append((((np.abs(x) > 0.07) & (np.abs(x) < 0.17))[None] & (z > -1), WHITE))
    for side in character.yellow_sides:
        at = side * x - half
        lines.append(((((at > -0.52) & (at < -0.43)) | ((at > -0.72) & (at < -0.63)))[None] & (z > -1), YELLOW))
    if character.has_cycle_lane:
        lines.append(((np.abs(x + half - 1.5) < 0.06)[None] & (z % 4.0 < 3.0), WHITE))
    for side in character.parking_sides:
        lines.append(((np.abs(side * x - half + 2.1) < 0.05)[None] & (z % 1.5 < 0.8), WHITE))
    return lines


def _texel(z_m: float) -> int:
    return int(z_m * TEXELS_PER_M)


def _column(x_m: float) -> int:
    return int((x_m + HALF_WIDTH_M) * TEXELS_PER_M)
