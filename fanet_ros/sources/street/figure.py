# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""People and bicycles as 3D limbs, painted as a texture from one direction."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.sources.street.texture import SEEN_THROUGH, Texture, grain

TEXELS_PER_M = 64
_BITS = 4
_WEAVE = grain(np.random.default_rng(0), 160, 160, 0.06, 0.06)       # cloth; larger than any figure


class Figure:
    """Collects limbs in metres (forward, right, up) relative to a point on the ground; `paint` renders them.

    :param heading: radians from the viewing direction: 0 seen from behind, pi from the front, pi / 2 moving right
    """

    def __init__(self, heading: float, half_width_m: float, height_m: float) -> None:
        self._cos, self._sin = np.cos(heading), np.sin(heading)
        self.half_width_m, self.height_m = half_width_m, height_m
        self._parts: list[tuple[float, str, tuple]] = []

    def limb(self, start: np.ndarray, end: np.ndarray, radius: float, color: np.ndarray, bias: float = 0.0) -> None:
        """Add a limb with round ends; `bias` in metres moves it forward in painting order."""
        (x0, y0, d0), (x1, y1, d1) = self._seen(start), self._seen(end)
        self._parts.append(((d0 + d1) / 2 - bias, 'limb', ((x0, y0), (x1, y1), radius, np.asarray(color, float))))

    def wheel(self, center: np.ndarray, radius: float, color: np.ndarray) -> None:
        """Add a wheel that rolls forward, with spokes."""
        x, y, depth = self._seen(center)
        across = radius * max(abs(self._sin), 0.06)
        self._parts.append((depth, 'wheel', ((x, y), across, radius, np.asarray(color, float))))

    def paint(self, label: int, light: float) -> Texture:
        """The texture, 2 * half_width_m by height_m."""
        height, width = int(self.height_m * TEXELS_PER_M), int(2 * self.half_width_m * TEXELS_PER_M)
        canvas, hull = np.zeros((height, width, 4), np.uint8), np.zeros((height, width), np.uint8)
        for _, kind, part in sorted(self._parts, key=lambda item: -item[0]):
            if kind == 'wheel':
                center, across, upward, color = part
                where = self._fixed(center)
                axes = tuple(round(size * TEXELS_PER_M * 2 ** _BITS) for size in (across, upward))
                cv2.ellipse(hull, where, axes, 0, 0, 360, SEEN_THROUGH, -1, cv2.LINE_8, _BITS)
                for angle in np.arange(0, np.pi, np.pi / 5) if across > 0.12 else ():
                    spoke = np.array((across * np.cos(angle), upward * np.sin(angle))) * 0.95
                    cv2.line(canvas, self._fixed(center - spoke), self._fixed(center + spoke),
                             (120, 122, 124, 150), 1, cv2.LINE_AA, _BITS)
                cv2.ellipse(canvas, where, axes, 0, 0, 360, (*color.tolist(), 255), 4, cv2.LINE_AA, _BITS)
            else:
                start, end, radius, color = part
                # Darker at the edge and below, brighter towards the light, to look round.
                for share, tone, shift in ((1.0, 0.7, 0.0), (0.72, 0.95, -0.16), (0.36, 1.12, -0.34)):
                    thickness = max(round(2 * radius * share * TEXELS_PER_M), 1)
                    if share < 1 and thickness < 3:
                        break
                    begin, finish = (self._fixed((x + shift * radius, y - shift * radius * 0.5)) for x, y in (start, end))
                    cv2.line(canvas, begin, finish, (*np.minimum(color * tone, 255).tolist(), 255), thickness, cv2.LINE_8,
                             _BITS)
        image = canvas[..., :3] * (_WEAVE[:height, :width] * light)
        cover = cv2.threshold(cv2.extractChannel(canvas, 3), 90, 0, cv2.THRESH_TOZERO)[1]
        return Texture(image, label, cv2.max(cover, hull))

    def _seen(self, point: np.ndarray) -> tuple[float, float, float]:
        forward, right, up = point
        return right * self._cos + forward * self._sin, up, forward * self._cos - right * self._sin

    def _fixed(self, point: tuple[float, float]) -> tuple[int, int]:
        scale = TEXELS_PER_M * 2 ** _BITS
        return round((point[0] + self.half_width_m) * scale), round((self.height_m - point[1]) * scale)
