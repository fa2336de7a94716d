# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A procedural street in motion with ground-truth labels: moving input for demo and tests, labelled data for training."""
from __future__ import annotations

import numpy as np

from fanet_ros.sources.frame import Frame
from fanet_ros.sources.street.canvas import Canvas
from fanet_ros.sources.street.character import Character
from fanet_ros.sources.street.exposure import Exposure
from fanet_ros.sources.street.ground import Ground
from fanet_ros.sources.street.looks import CELL_M, Looks
from fanet_ros.sources.street.plot import Placed, Plot, Standing
from fanet_ros.sources.street.sketch import Polygons
from fanet_ros.sources.street.traffic import Traffic
from fanet_ros.sources.street.view import View
from fanet_ros.sources.street.weather import Haze, Weather

VIEW_M = 130.0              # nothing is drawn beyond this
PEOPLE_M = 60.0             # people farther away are too small to make out
BEHIND_M = 16.0             # things this far behind the camera may cast shadows ahead of it
SMALLEST_SIGHT = 0.016      # height divided by distance below which a thing is not drawn
KEPT_PLOTS = 400            # sketches cached for later frames


class SyntheticStreet:
    """What a car-mounted camera sees while driving down a seeded street, on the left as in CamVid.

    frame(i) depends only on size, seed, rate and i. Labels are the 11 classes of CamVid, 255 for everything else.

    :param width: px, at least 64, like height
    :param rate_hz: frame rate of the motion
    :raises ValueError: the size is too small, or the rate is not positive
    """

    def __init__(self, width: int = 480, height: int = 360, seed: int = 0, rate_hz: float = 15.0) -> None:
        if width < 64 or height < 64:
            raise ValueError(f'the street must be at least 64 x 64 px, got {width} x {height}')
        if rate_hz <= 0:
            raise ValueError(f'rate_hz must be positive, got {rate_hz}')
        self.width, self.height, self.seed, self.rate_hz = width, height, seed, rate_hz
        rng = np.random.default_rng([seed, 1])
        self._weather, self._character = Weather.draw(rng), Character.draw(rng)
        self._speed_mps = rng.uniform(4, 11)
        self._focal_px = rng.uniform(0.85, 1.2) * max(width, height)
        self._horizon_px, self._yaw_px = rng.uniform(0.4, 0.5) * height, rng.uniform(-0.04, 0.04) * width
        free_m = self._character.road_half_m - (2.05 if -1 in self._character.parking_sides else 0.0)
        self._camera_m, self._lane_m = rng.uniform(1.2, 1.9), -free_m * rng.uniform(0.45, 0.55)
        self._sway, self._bend = rng.uniform(0, 2 * np.pi, 5), rng.uniform(0, 0.004)
        self._haze = Haze(self._weather.haze_color, self._weather.haze_range_m)
        self._looks = Looks(seed, self._character, self._weather)
        self._traffic = Traffic(seed, self._character, self._looks, self._lane_m, self._speed_mps, rng)
        self._exposure = Exposure(width, height, self._weather.balance, rng)
        # Larger than the image, so that the sky can follow when the camera pitches or yaws.
        self._margin_x, self._margin_y = max(round(0.06 * width), 1), max(round(0.03 * height), 1)
        self._sky = self._weather.paint_sky(width + 2 * self._margin_x, height + 2 * self._margin_y,
                                            self._horizon_px + self._margin_y, rng)
        self._ground = Ground(self._character, self._weather.light, rng)
        self._plots: dict[tuple[int, int], Plot] = {}

    def frame(self, index: int) -> Frame:
        """Render frame `index` >= 0, with its labels."""
        time_s = index / self.rate_hz
        travelled_m = self._speed_mps * time_s
        view = self._view(time_s, travelled_m)
        canvas = Canvas(view, self._sky_of(view), self._haze)
        self._ground.lay(canvas.pixels, view, travelled_m, self._haze)
        marks, placed = self._things(view, time_s, travelled_m)
        canvas.paint(_join([item.thing.solid for item in marks], marks))
        canvas.darken(_join([item.thing.shadow for item in marks + placed], marks + placed))
        canvas.paint(_join([item.thing.solid for item in placed], placed))
        return Frame(self._exposure.expose(canvas.rgb, index), canvas.labels, index)

    def _view(self, time_s: float, travelled_m: float) -> View:
        turn, nod, shake, drift = np.sin(np.array([0.31, 1.9, 7.0, 0.17]) * time_s + self._sway[:4])
        return View(
            self.width, self.height, self._focal_px, self.width / 2 + self._yaw_px + 0.012 * self.width * turn,
            self._horizon_px + self.height * (0.006 * nod + 0.0015 * shake), self._camera_m,
            self._lane_m + 0.15 * drift, float(self._bend * np.sin(travelled_m / 90.0 + self._sway[4])))

    def _sky_of(self, view: View) -> np.ndarray:
        top = int(np.clip(round(self._margin_y - (view.horizon_px - self._horizon_px)), 0, 2 * self._margin_y))
        left = int(np.clip(round(self._margin_x - (view.center_px - self.width / 2)), 0, 2 * self._margin_x))
        return self._sky[top:top + self.height, left:left + self.width]

    def _things(self, view: View, time_s: float, travelled_m: float) -> tuple[list[Placed], list[Placed]]:
        """Road markings, and everything that stands or moves, from far to near, with z from the camera."""
        first = int((travelled_m - BEHIND_M) // CELL_M)
        marks, placed = [], []
        people = list(self._traffic.people(time_s, travelled_m, PEOPLE_M))
        for cell in range(first, first + int((VIEW_M + BEHIND_M) / CELL_M) + 1):
            start = cell * CELL_M - travelled_m
            for side in (-1, 1):
                plot = self._plot(cell, side)
                marks.append(Placed(plot.marks, start, start))
                placed += [Placed(item.thing, start + item.z, start + item.behind) for item in plot.fixed
                           if (start + item.z) * SMALLEST_SIGHT < item.height_m]
                if -CELL_M < start < PEOPLE_M:
                    people += [Standing(item.kind, item.number, item.x, start + item.z, item.heading, item.attitude)
                               for item in plot.standing]
        placed += self._traffic.cars(time_s, travelled_m, BEHIND_M, VIEW_M)
        for item in people:
            seen_at = np.arctan2(item.x - view.x_m, max(item.z, 0.5))
            thing = self._looks.figure(item.kind, item.number, item.x, item.attitude, item.heading - seen_at)
            placed.append(Placed(thing, item.z, item.z))
        return marks, sorted(placed, key=lambda item: -item.behind)

    def _plot(self, cell: int, side: int) -> Plot:
        if (cell, side) not in self._plots:
            if len(self._plots) >= KEPT_PLOTS:
                self._plots.clear()
            self._plots[cell, side] = Plot(self.seed, cell, side, self._character, self._weather, self._looks)
        return self._plots[cell, side]


def _join(parts: list[Polygons], placed: list[Placed]) -> Polygons:
    return Polygons.join(parts, [item.z for item in placed])
