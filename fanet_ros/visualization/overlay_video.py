# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A video of a recording: camera frame and overlay side by side, the class legend underneath."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import cv2
import numpy as np

from fanet_ros.bags.recording import SegmentedFrame
from fanet_ros.inference import ClassMap, draw_overlay
from fanet_ros.visualization.legend import BACKGROUND, legend
from fanet_ros.visualization.video_writer import VideoWriter, open_video

MAX_TILE_WIDTH_PX = 800
OVERLAY_ALPHA = 0.5


class OverlayVideo:
    """Writes `path` (.mp4) frame by frame; complete once closed. Use as a context manager.

    All frames are shown at the size of the first, at most 800 px wide each. `add` raises ValueError if no
    installed encoder can write the file.
    """

    def __init__(self, path: Path, class_map: ClassMap, fps: float) -> None:
        self._path = path
        self._class_map = class_map
        self._fps = max(1.0, fps)
        self._writer: Optional[VideoWriter] = None
        self._tile_size = (0, 0)
        self._legend = np.zeros((0, 0, 3), np.uint8)
        self.frames = 0

    def add(self, frame: SegmentedFrame) -> None:
        """Append one frame; its overlay is drawn here if it has none."""
        if self._writer is None:
            self._writer = self._open(*frame.rgb.shape[:2])
        overlay = frame.overlay
        if overlay is None:
            overlay = draw_overlay(frame.rgb, frame.labels, self._class_map.palette(), OVERLAY_ALPHA)
        pair = np.hstack([self._fit(frame.rgb), self._fit(overlay)])
        image = np.vstack([pair, self._legend])
        self._writer.write(image)
        self.frames += 1

    def _open(self, height: int, width: int) -> VideoWriter:
        # Codecs need even sizes.
        tile_width = min(width, MAX_TILE_WIDTH_PX) // 2 * 2
        self._tile_size = tile_width, round(height * tile_width / width) // 2 * 2
        strip = np.asarray(legend(self._class_map, 2 * tile_width, 14))
        padding = 8 + strip.shape[0] % 2
        self._legend = np.full((strip.shape[0] + padding, 2 * tile_width, 3), BACKGROUND, np.uint8)
        self._legend[4:4 + strip.shape[0]] = strip
        size = 2 * tile_width, self._tile_size[1] + self._legend.shape[0]
        return open_video(self._path, *size, self._fps)

    def _fit(self, rgb: np.ndarray) -> np.ndarray:
        if rgb.shape[1::-1] == self._tile_size:
            return rgb
        return cv2.resize(rgb, self._tile_size, interpolation=cv2.INTER_AREA)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> OverlayVideo:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
