"""A procedural street in motion, with true labels: real moving input for demo and tests, labelled data for training."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources import street_ground as ground
from fanet_ros.sources import street_vehicles as vehicles
from fanet_ros.sources.frame import Frame
from fanet_ros.sources.street_canvas import Canvas, View
from fanet_ros.sources.street_plot import CELL_M, Character, Placed, Plot
from fanet_ros.sources.street_sketch import Polygons, Sketch, Thing
from fanet_ros.sources.street_weather import Weather

VIEW_M = 120.0              # nothing is drawn beyond
BEHIND_M = 12.0             # what is behind the camera may still throw its shadow before it
KEPT_PLOTS = 400            # sketches kept for the frames to come
ONCOMING_M = 55.0           # distance between cars that come
NOISE_FRAMES = 256


class SyntheticStreet:
    """What a car-mounted camera sees on its way down a seeded street, on the left as in CamVid.

    frame(i) depends on size, seed, rate and i alone. Labels are the 11 classes of CamVid.

    :param width: px, at least 64
    :param rate_hz: frames per second of the motion
    """

    def __init__(self, width: int = 480, height: int = 360, seed: int = 0, rate_hz: float = 15.0) -> None:
        if width < 64 or height < 64:
            raise ValueError(f'a street is at least 64 x 64 px, got {width} x {height}')
        if rate_hz <= 0:
            raise ValueError(f'rate_hz must be positive, got {rate_hz}')
        self.width, self.height, self.seed, self.rate_hz = width, height, seed, rate_hz
        rng = np.random.default_rng([seed, 1])
        self._weather, self._character = Weather.draw(rng), Character.draw(rng)
        self._speed_mps, self._oncoming_mps = rng.uniform(4, 11), rng.uniform(5, 12)
        self._lead_m = rng.uniform(12, 45) if rng.random() < 0.5 else None
        self._focal_px = rng.uniform(0.85, 1.15) * max(width, height)
        self._horizon_px = rng.uniform(0.38, 0.5) * height
        self._camera_m, self._lane_m = rng.uniform(1.25, 2.1), -self._character.road_half_m * rng.uniform(0.25, 0.38)
        self._sway, self._bend = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0, 0.004)
        self._asphalt = np.array((94, 92, 94)) * rng.uniform(0.75, 1.2) * rng.uniform(0.97, 1.03, 3)
        self._paving = np.array((146, 140, 132)) * rng.uniform(0.8, 1.15) * rng.uniform(0.97, 1.03, 3)
        self._ground = self._sketch(ground.ground, self._character.road_half_m, self._asphalt, self._paving)
        self._dash = self._sketch(ground.middle_mark)
        self._zebra = self._sketch(ground.zebra, self._character.road_half_m)
        self._yellow = self._sketch(ground.double_yellow, self._character.road_half_m, -1, CELL_M)
        self._has_yellow = rng.random() < 0.4
        view = self._view(0.0, 0.0)
        self._texture = ground.GroundTexture(view, rng)
        # Taller than the picture, so that the sky can follow when the camera nods.
        self._nod_px = max(round(0.02 * height), 1)
        self._sky = self._weather.paint_sky(width, height + 2 * self._nod_px, self._horizon_px + self._nod_px, rng)
        self._noise = np.clip(rng.normal(0, rng.uniform(2, 5), (height, width + NOISE_FRAMES, 1)), -20, 20).astype(
            np.int16).repeat(3, 2)
        self._blur_px = rng.uniform(0.45, 0.9)
        self._exposure = self._exposure_table(rng)
        self._plots: dict[tuple[int, int], Plot] = {}
        self._cars: dict[int, Thing] = {}

    def frame(self, index: int) -> Frame:
        """The street at frame `index` >= 0."""
        time_s = index / self.rate_hz
        travelled_m = self._speed_mps * time_s
        view = self._view(time_s, travelled_m)
        canvas = Canvas(view, self._sky_of(view), self._weather.haze)
        self._paint_ground(canvas, view, travelled_m)
        placed = self._things(time_s, travelled_m)
        if placed:
            where = [item.z for item in placed]
            canvas.darken(Polygons.join([item.thing.shadow for item in placed], where))
            canvas.paint(Polygons.join([item.thing.solid for item in placed], where))
        return Frame(self._expose(canvas.rgb, index), canvas.labels, index)

    def _view(self, time_s: float, travelled_m: float) -> View:
        yaw, nod, drift, bend = np.sin(np.array([0.31, 2.3, 0.17, travelled_m / 90.0 / max(time_s, 1e-6)]) * time_s + self._sway)
        return View(
            self.width, self.height, self._focal_px, self.width / 2 + 0.012 * self.width * yaw,
            self._horizon_px + 0.006 * self.height * nod, self._camera_m, self._lane_m + 0.15 * drift, self._bend * bend)

    def _sky_of(self, view: View) -> np.ndarray:
        top = int(np.clip(round(self._nod_px - (view.horizon_px - self._horizon_px)), 0, 2 * self._nod_px))
        return self._sky[top:top + self.height]

    def _paint_ground(self, canvas: Canvas, view: View, travelled_m: float) -> None:
        canvas.paint(self._ground.solid)
        parts, where = [], []
        for mark in np.arange(-(travelled_m % ground.MARK_PERIOD_M), 80, ground.MARK_PERIOD_M):
            parts.append(self._dash.solid)
            where.append(mark)
        first = int(travelled_m // CELL_M) - 1
        for cell in range(first + int(60 / CELL_M), first - 1, -1):
            rng_key = (self.seed * 7919 + cell * 104729) % 1000     # cheap, and the same from whichever frame it is asked
            if self._has_yellow:
                parts.append(self._yellow.solid)
                where.append(cell * CELL_M - travelled_m)
            if rng_key < 30:
                parts.append(self._zebra.solid)
                where.append(cell * CELL_M - travelled_m)
        canvas.paint(Polygons.join(parts, where))
        self._texture.lay(canvas, view, travelled_m, self._weather.light)

    def _things(self, time_s: float, travelled_m: float) -> list[Placed]:
        """All that stands or moves, from far to near, with z from the camera."""
        first = int((travelled_m - BEHIND_M) // CELL_M)
        placed = []
        for cell in range(first, first + int((VIEW_M + BEHIND_M) / CELL_M) + 1):
            for side in (-1, 1):
                plot, start = self._plot(cell, side), cell * CELL_M - travelled_m
                placed += [Placed(item.thing, start + item.z) for item in (*plot.fixed, *plot.moving(time_s))]
        placed += self._traffic(time_s, travelled_m)
        return sorted(placed, key=lambda item: -item.z)

    def _traffic(self, time_s: float, travelled_m: float) -> list[Placed]:
        """A car ahead in the own lane, and those that come."""
        lane = self._character.road_half_m * 0.38
        placed = []
        if self._lead_m is not None:
            lead = self._lead_m * (1 + 0.2 * np.sin(0.3 * time_s))
            placed.append(Placed(self._car(-1, -lane, facing=False), lead))
        coming = travelled_m + self._oncoming_mps * time_s
        for number in range(int((coming - BEHIND_M) // ONCOMING_M), int((coming + VIEW_M) // ONCOMING_M) + 1):
            if number % 3:
                placed.append(Placed(self._car(number, lane, facing=True), number * ONCOMING_M - coming))
        return placed

    def _plot(self, cell: int, side: int) -> Plot:
        if (cell, side) not in self._plots:
            if len(self._plots) >= KEPT_PLOTS:
                self._plots.clear()
            self._plots[cell, side] = Plot(self.seed, cell, side, self._character, self._weather)
        return self._plots[cell, side]

    def _car(self, number: int, x: float, *, facing: bool) -> Thing:
        if number not in self._cars:
            if len(self._cars) >= KEPT_PLOTS:
                self._cars.clear()
            rng = np.random.default_rng([self.seed, 77, number + 10])
            self._cars[number] = self._sketch(vehicles.car, x, rng, facing=facing, lit=self._weather.is_dark)
        return self._cars[number]

    def _sketch(self, draw: 'object', *arguments: object, **options: object) -> Thing:
        sketch = Sketch(self._weather.light, self._weather.sun)
        draw(sketch, *arguments, **options)         # type: ignore[operator]
        return sketch.finish()

    def _exposure_table(self, rng: np.random.Generator) -> np.ndarray:
        """(256, 1, 3) uint8: white balance and a camera's curve."""
        contrast = rng.uniform(0.0, 0.35)
        ramp = np.arange(256) / 255.0
        curve = ramp * (1 - contrast) + contrast * (3 * ramp**2 - 2 * ramp**3)
        return np.clip(curve[:, None] * self._weather.balance * 255, 0, 255).astype(np.uint8)[:, None]

    def _expose(self, rgb: np.ndarray, index: int) -> np.ndarray:
        """Lens blur, the camera's curve and sensor noise."""
        shift = (index * 97) % NOISE_FRAMES
        blurred = cv2.LUT(cv2.GaussianBlur(rgb, (3, 3), self._blur_px), self._exposure)
        return cv2.add(blurred, np.ascontiguousarray(self._noise[:, shift:shift + self.width]), dtype=cv2.CV_8U)
