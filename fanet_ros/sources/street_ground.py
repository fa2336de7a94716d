"""Road, kerbs, pavement and what is painted on them."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.street_canvas import Canvas, View
from fanet_ros.sources.street_classes import PAVEMENT, ROAD
from fanet_ros.sources.street_sketch import Sketch

# Edges of the bands of depth [m]: each has its own share of haze, and follows the bend as a straight piece.
BANDS_M = (400.0, 220, 150, 110, 85, 66, 52, 41, 32, 25, 19, 14, 10, 7, 4.5, 2.6, 1.0)
TILE = 256                  # px of the texture's tile
TEXELS_PER_M = 24.0
MARK_PERIOD_M = 6.0


def ground(sketch: Sketch, road_half_m: float, asphalt: np.ndarray, paving: np.ndarray) -> None:
    """Everything that is the same all along the street, from far to near."""
    def strip(x0: float, x1: float, far: float, near: float, color: np.ndarray, label: int) -> None:
        sketch.polygon([(x0, 0, near), (x1, 0, near), (x1, 0, far), (x0, 0, far)], color, label)

    gutter = np.asarray(asphalt) * 0.8
    for far, near in zip(BANDS_M, BANDS_M[1:]):
        strip(-80, 80, far, near, paving, PAVEMENT)
        strip(-road_half_m, road_half_m, far, near, gutter, ROAD)
        strip(-road_half_m + 0.3, road_half_m - 0.3, far, near, asphalt, ROAD)
        for side in (-1, 1):
            strip(*sorted((side * road_half_m, side * (road_half_m + 0.16))), far, near, paving * 1.22, PAVEMENT)


def middle_mark(sketch: Sketch) -> None:
    """One dash of the broken line in the middle of the road."""
    sketch.polygon([(-0.06, 0, 0), (0.06, 0, 0), (0.06, 0, 3), (-0.06, 0, 3)], (222, 222, 214), ROAD)


def double_yellow(sketch: Sketch, road_half_m: float, side: float, length_m: float) -> None:
    """No stopping: two yellow lines along the kerb."""
    for x in (0.42, 0.62):
        edge = side * (road_half_m - x)
        sketch.polygon([(edge - 0.04, 0, 0), (edge + 0.04, 0, 0), (edge + 0.04, 0, length_m), (edge - 0.04, 0, length_m)],
                       (205, 170, 60), ROAD)


def zebra(sketch: Sketch, road_half_m: float) -> None:
    """A zebra crossing of three metres."""
    for x in np.arange(-road_half_m + 0.3, road_half_m - 0.3, 1.0):
        sketch.polygon([(x, 0, 0), (x + 0.5, 0, 0), (x + 0.5, 0, 3), (x, 0, 3)], (228, 228, 222), ROAD)


def patch(sketch: Sketch, x: float, rng: np.random.Generator, asphalt: np.ndarray) -> None:
    """Where the road was mended, or a manhole."""
    if rng.random() < 0.4:
        angles = np.arange(10) * (2 * np.pi / 10)
        sketch.polygon([(x + 0.35 * np.cos(a), 0, 0.35 * np.sin(a)) for a in angles], asphalt * 0.6, ROAD)
        return
    half, length = rng.uniform(0.3, 1.2), rng.uniform(1, 7)
    sketch.polygon([(x - half, 0, 0), (x + half, 0, 0), (x + half, 0, length), (x - half, 0, length)],
                   asphalt * rng.choice([0.78, 0.88, 1.12]), ROAD)


class GroundTexture:
    """Grain of the ground that moves with it: a tile of noise looked up where each pixel meets the ground."""

    def __init__(self, view: View, rng: np.random.Generator) -> None:
        self._horizon_px = view.horizon_px
        self._top = int(np.ceil(max(view.horizon_px, 0))) + 1
        below = np.arange(self._top, view.height) - view.horizon_px
        depth = view.focal_px * view.height_m / np.maximum(below, 0.5)                         # (rows,) metres
        x_m = (np.arange(view.width) - view.center_px)[None] / view.focal_px * depth[:, None]  # (rows, W)
        self._columns = np.mod(np.round(x_m * TEXELS_PER_M), TILE).astype(np.int32)
        self._depth_texels = depth * TEXELS_PER_M
        grain = rng.normal(0, 9, (TILE, TILE)) + np.kron(rng.normal(0, 6, (TILE // 8, TILE // 8)), np.ones((8, 8)))
        self._tile = np.clip(grain, -40, 40).astype(np.float32).ravel()
        # Far away a pixel covers many grains, which cancel out.
        self._strength = np.clip(12.0 / depth, 0, 1)[:, None].astype(np.float32)

    def lay(self, canvas: Canvas, view: View, travelled_m: float, light: float) -> None:
        """Add the grain to the ground painted so far, `travelled_m` further down the street."""
        texels = np.mod(np.round(self._depth_texels + travelled_m * TEXELS_PER_M), TILE).astype(np.int32)
        grain = self._tile.take(self._columns + texels[:, None] * TILE)
        change = (grain * (self._strength * light)).astype(np.int16)                            # (rows, W)
        top = self._top + round(view.horizon_px - self._horizon_px)     # the camera nods
        change = change[max(-top, 0):view.height - top]
        canvas.texture(slice(max(top, 0), max(top, 0) + len(change)), change)
