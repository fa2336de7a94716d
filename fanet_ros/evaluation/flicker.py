# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal stability: how much the labels of a video flicker."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from fanet_ros.datasets import UNLABELLED
from fanet_ros.inference.video.temporal_filter import moved_along


@dataclass(frozen=True)
class Flicker:
    """Fractions of pixels, 0..1; NaN before any were counted.

    in_place: the predicted class changes from one frame to the next although the true one does not. Wrong labels that move
    with the scene, as they should, count here too.
    of_moving_labels: the share of in_place due to motion: the same figure for the previous labels moved along the flow
    along_motion: the prediction differs from the previous labels moved along the flow, where there are any and the true ones moved
    in the same way agree: flicker alone (temporal consistency: Liu et al., arXiv 2002.11433)
    """

    in_place: float
    of_moving_labels: float
    along_motion: float


class FlickerCounter:
    """Compares the labels of each video frame with those of the previous frame, in place and along the optical flow."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)      # Kroeger et al., arXiv 1603.03590
        self._steady = self._changed = self._moved = self._followed = self._restless = 0
        self._last: Optional[tuple[np.ndarray, np.ndarray, np.ndarray]] = None

    def add(self, rgb: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Count the next frame of the video: rgb (H, W, 3) uint8, true and predicted labels (H, W) uint8.

        A change of size restarts the comparison.
        """
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        if self._last is not None and self._last[0].shape == gray.shape:
            last_gray, last_truth, last_predicted = self._last
            # (H, W, 2) px: offset to each pixel's place in the previous frame.
            flow = self._flow.calc(gray, last_gray, None)       # type: ignore[call-overload]  # OpenCV's stubs leave out None
            moved = moved_along(last_predicted, flow, cv2.INTER_NEAREST)
            steady = (truth == last_truth) & (truth != UNLABELLED)
            self._steady += int(steady.sum())
            self._changed += int((steady & (predicted != last_predicted)).sum())
            self._moved += int((steady & (moved != last_predicted)).sum())
            followed = (truth == moved_along(last_truth, flow, cv2.INTER_NEAREST)) & (truth != UNLABELLED) & was_in_view(flow)
            self._followed += int(followed.sum())
            self._restless += int((followed & (predicted != moved)).sum())
        self._last = gray, truth, predicted

    @property
    def flicker(self) -> Flicker:
        return Flicker(_share(self._changed, self._steady), _share(self._moved, self._steady),
                       _share(self._restless, self._followed))


def was_in_view(flow: np.ndarray) -> np.ndarray:
    """(h, w) bool: pixels whose place in the previous frame, at an offset of `flow` (h, w, 2) px, was inside it."""
    height, width = flow.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    inside: np.ndarray = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return inside


def _share(count: int, of: int) -> float:
    return count / of if of else float('nan')
