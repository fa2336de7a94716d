# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a network says of several views of a frame: enlarged, mirrored, and as it was one frame earlier."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Optional

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.datasets import UNLABELLED
from fanet_ros.datasets.source_frames import SourceFrame
from fanet_ros.evaluation.flicker import was_in_view
from fanet_ros.inference.input_size import InputSize
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.video.temporal_filter import moved_along
from fanet_ros.model import Checkpoint

ENLARGED = 1.5          # factor on the network's input size for the view 'scale'
STRIDE = 4              # input pixels per compared pixel
MOTION_CHANGE = 20      # of 255: larger differences from the warped previous frame mean that the flow is wrong there


@dataclass(frozen=True)
class FramePair:
    """A frame, (H, W, 3) uint8 RGB, and the one just before it; None if there is none."""

    rgb: np.ndarray
    previous: Optional[np.ndarray] = None

    @classmethod
    def of(cls, frame: SourceFrame) -> FramePair:
        """A frame with the last one of those before it."""
        return cls(frame.rgb, frame.earlier[-1] if frame.earlier else None)


@dataclass(frozen=True)
class Predictions:
    """Predictions of one network for one frame, on a coarse grid (h, w).

    labels: uint8; confidence: float32, probability of the label; views: labels of the views 'scale', 'flip' and 'motion' (the
    previous frame, warped along the optical flow; UNLABELLED where the flow is wrong or leads out of it), aligned with the frame
    """

    labels: np.ndarray
    confidence: np.ndarray
    views: dict[str, np.ndarray]

    @property
    def agreed(self) -> np.ndarray:
        """(h, w) bool: pixels in which all views agree."""
        return np.all([(labels == self.labels) | (labels == UNLABELLED) for labels in self.views.values()], 0)


class ViewPredictor:
    """Predicts all views of a frame with one network."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._network, self._device = checkpoint.calibrated_network.to(device).eval(), device
        self._own_size = checkpoint.metadata.training_resolution
        self._preprocess = Preprocessor(checkpoint.metadata.mean, checkpoint.metadata.std, device)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def __call__(self, pair: FramePair) -> Predictions:
        size, enlarged = (InputSize(0, 0, self._own_size, scale).of(*pair.rgb.shape[:2]) for scale in (1.0, ENLARGED))
        grid = size[0] // STRIDE, size[1] // STRIDE
        probabilities = self._probabilities(pair.rgb, size, grid)
        views = {'scale': self._labels(pair.rgb, enlarged, grid),
                 'flip': self._labels(np.ascontiguousarray(pair.rgb[:, ::-1]), size, grid)[:, ::-1]}
        if pair.previous is not None and pair.previous.shape == pair.rgb.shape:
            gray, last_gray = (cv2.cvtColor(cv2.resize(rgb, grid[::-1], interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
                               for rgb in (pair.rgb, pair.previous))
            flow = self._flow.calc(gray, last_gray, None)       # type: ignore[call-overload]  # OpenCV's stubs leave out None
            labels = moved_along(self._labels(pair.previous, size, grid), flow, cv2.INTER_NEAREST)
            labels[~was_in_view(flow) | (cv2.absdiff(gray, moved_along(last_gray, flow)) > MOTION_CHANGE)] = UNLABELLED
            views['motion'] = labels
        return Predictions(probabilities.argmax(0).astype(np.uint8), probabilities.max(0), views)

    def _labels(self, rgb: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
        return self._probabilities(rgb, size, grid).argmax(0).astype(np.uint8)

    def _probabilities(self, rgb: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
        """(C, h, w) float32."""
        with torch.inference_mode():
            logits = self._network(self._preprocess(rgb, *size)).float()
            return F.interpolate(logits, grid, mode='bilinear', align_corners=True)[0].softmax(0).cpu().numpy()


def predict_views(checkpoint: Checkpoint, frames: Iterable[FramePair], device: torch.device) -> list[Predictions]:
    """Predictions of one network for all frames."""
    predictor = ViewPredictor(checkpoint, device)
    return [predictor(pair) for pair in frames]
