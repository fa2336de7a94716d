# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The output arrays of one frame, each computed on first access."""
from __future__ import annotations

from functools import cached_property
from typing import Optional

import cv2
import numpy as np

from fanet_ros.images.png_palette import with_palette
from fanet_ros.inference import UNLABELLED, FrameInput, Segmentation, draw_legend, draw_overlay
from fanet_ros.ros.segmentation.output_style import OutputStyle

LEAST_LEGEND_ROW_PX = 16


class FrameLayers:
    """Mask, confidence, overlay and coverage of one frame, from its segmentation (of the same size) and an output style."""

    def __init__(self, frame: FrameInput, segmentation: Segmentation, style: OutputStyle) -> None:
        self._frame, self._segmentation, self._style = frame, segmentation, style

    @property
    def frame_size(self) -> tuple[int, int]:
        """Height and width of the frame in px."""
        return self._segmentation.labels.shape

    @property
    def mask_size(self) -> tuple[int, int]:
        """Height and width of mask and confidence in px."""
        return self._style.mask_size(self._segmentation)

    @cached_property
    def _values(self) -> np.ndarray:
        """Published values at the frame's size, (H, W) uint8."""
        values = self._style.table.apply(self._segmentation.labels)
        return values if self._doubtful is None else np.where(self._doubtful, np.uint8(UNLABELLED), values)

    @cached_property
    def _doubtful(self) -> Optional[np.ndarray]:
        """Pixels below min_confidence, (H, W) bool; None if min_confidence is 0 or there is no confidence."""
        if not self._style.min_confidence or self._segmentation.confidence is None:
            return None
        return self._segmentation.confidence < round(255 * self._style.min_confidence)

    @property
    def doubtful_share(self) -> Optional[float]:
        """Share of the frame's pixels below min_confidence, 0..1; None if min_confidence is 0 or there is no confidence."""
        return None if self._doubtful is None else float(self._doubtful.mean())

    @cached_property
    def mask(self) -> np.ndarray:
        """Published values at the mask's size, (h, w) uint8. Nearest neighbour: class values must not be interpolated."""
        return self._resampled(self._values)

    @cached_property
    def confidence(self) -> Optional[np.ndarray]:
        """Probability of each mask pixel's class, (h, w) uint8, 0 where unlabelled; None if not computed.

        Costmaps use the most confident pixel of a tile, so an unlabelled one must never win.
        """
        if self._segmentation.confidence is None:
            return None
        confidence = self._resampled(self._segmentation.confidence)
        if all(item.value != UNLABELLED for item in self._style.table.classes):
            return confidence
        return np.where(self.mask == UNLABELLED, np.uint8(0), confidence)

    @property
    def has_overlay(self) -> bool:
        """Whether an overlay was requested with the frame."""
        return self._frame.overlay is not None

    @cached_property
    def overlay(self) -> np.ndarray:
        """The frame blended with the colours of the published values, (H, W, 3) uint8 RGB."""
        overlay = self._segmentation.overlay
        if overlay is None:                             # otherwise already drawn on the GPU
            overlay = draw_overlay(self._frame.rgb, self._values, self._style.table.palette(), self._style.overlay_alpha)
        return self._with_legend(overlay) if self._style.overlay_legend else overlay

    def _with_legend(self, overlay: np.ndarray) -> np.ndarray:
        """`overlay` with the class names at the top, where there is usually sky."""
        height, width = overlay.shape[:2]
        classes = self._style.table.classes
        legend = draw_legend(tuple(item.name for item in classes), tuple(item.color for item in classes), width,
                             row_height=max(LEAST_LEGEND_ROW_PX, height // 22))[:height]
        return np.concatenate([legend, overlay[len(legend):]])

    @cached_property
    def coverage(self) -> list[float]:
        """Share of the mask's pixels, 0..1, for each class of the table, in its order."""
        counts = cv2.calcHist([self.mask], [0], None, [256], [0, 256]).ravel()
        return [float(counts[item.value]) / self.mask.size for item in self._style.table.classes]

    @cached_property
    def mask_png(self) -> bytes:
        """The mask as a lossless PNG file: grey, or with a palette of the class colours."""
        grey = cv2.imencode('.png', self.mask)[1].tobytes()
        return with_palette(grey, self._style.table.palette()) if self._style.mask_png == 'palette' else grey

    @cached_property
    def confidence_png(self) -> bytes:
        """The confidence as a grey PNG file; requires that it was computed."""
        assert self.confidence is not None
        return cv2.imencode('.png', self.confidence)[1].tobytes()

    @cached_property
    def overlay_jpeg(self) -> bytes:
        """The overlay as a JPEG file."""
        bgr = cv2.cvtColor(self.overlay, cv2.COLOR_RGB2BGR)
        return cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, self._style.overlay_jpeg_quality])[1].tobytes()

    def _resampled(self, values: np.ndarray) -> np.ndarray:
        height, width = self.mask_size
        if values.shape == (height, width):
            return values
        return cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
