# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects whether a frame continues the previous one or starts a new scene."""
from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

MAX_GAP_S = 0.5             # frames further apart have little in common
THUMBNAIL_PX = (16, 12)
CUT_CHANGE = 45.0           # mean brightness change of a thumbnail, of 255, which no moving camera causes between two frames


class SceneCutDetector:
    """Compares every frame of one camera with the previous one."""

    def __init__(self) -> None:
        self._stamp_s: Optional[float] = None
        self._thumbnail: Optional[np.ndarray] = None

    def follows(self, rgb: np.ndarray, stamp_s: Optional[float]) -> bool:
        """Whether `rgb` (H, W, 3) uint8, taken at `stamp_s` (None: unknown), continues the last frame.

        False for the first frame, after a scene cut, and when time jumps.
        """
        thumbnail = cv2.cvtColor(cv2.resize(rgb, THUMBNAIL_PX, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        is_new = self._thumbnail is None or _is_cut(self._thumbnail, thumbnail) or self._is_gap(stamp_s)
        self._thumbnail, self._stamp_s = thumbnail, stamp_s
        return not is_new

    def _is_gap(self, stamp_s: Optional[float]) -> bool:
        if stamp_s is None or self._stamp_s is None:
            return False
        return not 0 < stamp_s - self._stamp_s <= MAX_GAP_S


def _is_cut(before: np.ndarray, now: np.ndarray) -> bool:
    return float(cv2.absdiff(now, before).mean()) > CUT_CHANGE
