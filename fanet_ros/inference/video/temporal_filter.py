# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steadier labels in a video: blends in the logits of previous frames where the scene has not changed."""
from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

from fanet_ros.inference.video.scene_cut import SceneCutDetector

FLOW_SCALE = 4              # resolution of the optical flow, relative to the logits
BRIGHTNESS_CHANGE = 20.0    # of 255: difference of the warped previous image from the current one that divides the weight by e


class TemporalFilter:
    """Exponential moving average over the frames of one camera, along the optical flow (DIS: Kroeger et al., arXiv 1603.03590)."""

    def __init__(self) -> None:
        self._scene_cut = SceneCutDetector()
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._before: Optional[tuple[np.ndarray, np.ndarray]] = None        # grey image and logits of the last frame

    def __call__(self, logits: np.ndarray, rgb: np.ndarray, stamp_s: Optional[float], strength: float) -> np.ndarray:
        """Filter the logits (C, h, w) float32 of frame `rgb` (H, W, 3) uint8, taken at `stamp_s` (None: unknown).

        :param strength: 0..1, share of previous frames where nothing has changed
        """
        height, width = logits.shape[1:]
        size = FLOW_SCALE * width, FLOW_SCALE * height
        gray = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        follows = self._scene_cut.follows(rgb, stamp_s)
        if follows and self._before is not None and self._before[1].shape == logits.shape:
            logits = self._mix(logits, gray, *self._before, strength)
        filtered = np.array(logits)         # a copy: the engine may overwrite its logits
        self._before = gray, filtered
        return filtered

    def _mix(self, logits: np.ndarray, gray: np.ndarray, last_gray: np.ndarray, last_logits: np.ndarray,
             strength: float) -> np.ndarray:
        height, width = logits.shape[1:]
        # (4h, 4w, 2) px: where each pixel was before.
        flow = self._flow.calc(gray, last_gray, None)       # type: ignore[call-overload]  # OpenCV's stubs leave out None
        full_change = cv2.absdiff(gray, moved_along(last_gray, flow)).astype(np.float32)
        change = cv2.resize(full_change, (width, height), interpolation=cv2.INTER_AREA)
        flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) / FLOW_SCALE
        weight = strength * np.exp(-change / BRIGHTNESS_CHANGE)
        before = moved_along(last_logits.transpose(1, 2, 0), flow).reshape(height, width, -1).transpose(2, 0, 1)
        return logits + weight * (before - logits)


def moved_along(picture: np.ndarray, flow: np.ndarray, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Warp `picture` (h, w[, C]) by `flow` (h, w, 2) px; for labels use cv2.INTER_NEAREST, which does not mix classes."""
    rows, columns = np.mgrid[:flow.shape[0], :flow.shape[1]].astype(np.float32)
    return cv2.remap(picture, columns + flow[..., 0], rows + flow[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE)
