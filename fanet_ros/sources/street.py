"""A procedural street in motion, with true labels: real moving input for demo and tests, labelled data for training."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources import street_objects as things
from fanet_ros.sources.frame import Frame
from fanet_ros.sources.street_canvas import Canvas

VIEW_M = 110.0          # nothing is drawn beyond
CELL_M = 8.0            # spacing of the plots along the street
_LIGHTS = ('sun', 'overcast', 'dusk')


class SyntheticStreet:
    """What a car-mounted camera sees on its way down a seeded street.

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
        light = _LIGHTS[rng.integers(3)]
        self._light = {'sun': 1.15, 'overcast': 0.9, 'dusk': 0.6}[light] * rng.uniform(0.9, 1.1)
        self._zenith = np.array({'sun': (105, 150, 210), 'overcast': (190, 195, 200), 'dusk': (95, 100, 130)}[light])
        self._haze = np.array({'sun': (205, 220, 235), 'overcast': (215, 215, 215), 'dusk': (190, 165, 150)}[light])
        self._balance = rng.uniform(0.94, 1.06, 3)
        self._speed_mps = rng.uniform(5, 10)
        self._road_half_m = rng.uniform(3.4, 4.6)
        self._kerb_m = self._road_half_m + rng.uniform(2.0, 3.2)
        self._asphalt = np.array([92, 90, 92]) * self._light * rng.uniform(0.8, 1.15)
        self._paving = np.array([142, 136, 130]) * self._light * rng.uniform(0.85, 1.15)
        self._density = dict(tree=rng.uniform(0.1, 0.5), pole=0.3, sign=0.2, fence=rng.uniform(0.1, 0.4),
                             car=rng.uniform(0.15, 0.4), pedestrian=0.25, bicyclist=0.12, gap=rng.uniform(0.05, 0.3))
        self._noise = rng.normal(0, 1, (height, width + 256, 1)).astype(np.float32)
        clouds = rng.normal(0, 1, (12, 24)).astype(np.float32)
        self._sky = self._paint_sky(cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC), light)

    def frame(self, index: int) -> Frame:
        """The street at frame `index` >= 0."""
        time_s = index / self.rate_hz
        travelled_m = self._speed_mps * time_s
        canvas = Canvas(self.width, self.height, self._haze)
        canvas.rgb[:] = self._sky
        self._paint_ground(canvas, travelled_m)
        first = int(travelled_m // CELL_M) - 2
        for cell in range(first + int(VIEW_M / CELL_M) + 2, first - 1, -1):
            for side in (-1, 1):
                self._paint_plot(canvas, cell, side, cell * CELL_M - travelled_m, time_s)
        return Frame(self._expose(canvas.rgb, index), canvas.labels, index)

    def _paint_sky(self, clouds: np.ndarray, light: str) -> np.ndarray:
        ramp = np.clip(np.linspace(0, 2.2, self.height), 0, 1)[:, None, None]
        sky = self._zenith * (1 - ramp) + self._haze * ramp
        cover = np.clip(clouds * (0.4 if light != 'overcast' else 0.15), 0, 0.8)[..., None]
        return np.clip(sky * (1 - cover) + np.array([240, 240, 240]) * cover, 0, 255).astype(np.uint8)

    def _paint_ground(self, canvas: Canvas, travelled_m: float) -> None:
        def strip(x0: float, x1: float, color: np.ndarray, label: int, z0: float = 0.5, z1: float = 400.0) -> None:
            canvas.paint([(x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1)], color, label)

        # Bands of depth, so that the haze grows with distance along the ground.
        edges = [400, 120, 60, 30, 15, 8, 0.5]
        for far, near in zip(edges, edges[1:]):
            strip(-60, 60, self._paving * 0.9, things.PAVEMENT, near, far)
            strip(-self._road_half_m, self._road_half_m, self._asphalt, things.ROAD, near, far)
            for side in (-1, 1):
                inner, outer = sorted((side * self._road_half_m, side * (self._road_half_m + 0.15)))
                strip(inner, outer, self._paving * 1.2, things.PAVEMENT, near, far)
        white = np.array([225, 225, 220]) * self._light
        for mark in np.arange(-(travelled_m % 6.0), 70, 6.0):
            if mark + 3 > 1.5:
                strip(-0.07, 0.07, white, things.ROAD, max(mark, 1.3), mark + 3)

    def _paint_plot(self, canvas: Canvas, cell: int, side: int, z: float, time_s: float) -> None:
        """Everything that stands on one side of CELL_M metres of street, from far to near."""
        rng = np.random.default_rng([self.seed, cell + 1000, side + 1])
        look = {name: np.random.default_rng([self.seed, cell + 1000, side + 1, number])
                for number, name in enumerate(self._density)}
        chosen = {name: rng.random() < share for name, share in self._density.items()}
        wall = side * (self._kerb_m + rng.uniform(0, 1.5))
        place = rng.uniform(0, CELL_M, 7)
        light = self._light
        if z + CELL_M > 1.5:
            if not chosen['gap']:
                things.building(canvas, side, wall, max(z, 0.5), z + CELL_M, look['gap'], light)
            elif z > 0:
                things.tree(canvas, wall + side * 3, z + CELL_M, look['gap'], light)
        edge = side * (self._road_half_m + 0.5)
        walker = place[4] + (1.2 if rng.random() < 0.5 else -1.2) * time_s
        rider = place[5] + 2.5 * (time_s % 8.0)
        drawings = [
            (z, chosen['fence'], lambda d: things.fence(canvas, wall - side * 0.4, d, look['fence'], light)),
            (z + place[0], chosen['tree'],
             lambda d: things.tree(canvas, edge + side * 0.6, d, look['tree'], light)),
            (z + place[1], chosen['pole'], lambda d: things.pole(canvas, edge, d, look['pole'], light)),
            (z + place[2], chosen['sign'], lambda d: things.sign(canvas, edge + side * 0.2, d, look['sign'], light)),
            (z + place[3] / 2, chosen['car'], lambda d: things.car(
                canvas, side * (self._road_half_m - 1.1), d, look['car'], light)),
            (z + walker % CELL_M, chosen['pedestrian'], lambda d: things.pedestrian(
                canvas, edge + side * 1.2, d, look['pedestrian'], light, 6 * time_s)),
            (z + rider % CELL_M, chosen['bicyclist'], lambda d: things.bicyclist(
                canvas, side * (self._road_half_m - 2.4), d, look['bicyclist'], light))]
        for depth, wanted, draw in sorted(drawings, key=lambda drawing: -drawing[0]):
            if wanted and depth > 1.5:
                draw(depth)

    def _expose(self, rgb: np.ndarray, index: int) -> np.ndarray:
        """Lens blur, white balance and sensor noise."""
        shift = (index * 97) % 256
        blurred = cv2.GaussianBlur(rgb, (3, 3), 0.6)
        noisy = blurred * self._balance + 4.0 * self._noise[:, shift:shift + self.width]
        return np.clip(noisy, 0, 255).astype(np.uint8)
