# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contexts of earlier frames for a video network, cleared at scene cuts."""
from __future__ import annotations

from collections import deque
from typing import Optional

import numpy as np

from fanet_ros.inference.video.scene_cut import SceneCutDetector
from fanet_ros.model import FrameContext


class VideoMemory:
    """Contexts of the last frames, oldest first.

    :param length: number of frames before the current one to attend to
    """

    def __init__(self, length: int) -> None:
        self._contexts: deque[FrameContext] = deque(maxlen=length)
        self._scene_cut = SceneCutDetector()

    def recall(self, rgb: np.ndarray, stamp_s: Optional[float]) -> tuple[FrameContext, ...]:
        """Contexts that frame `rgb` (H, W, 3) uint8, taken at `stamp_s` (None: unknown), may attend to.

        Clears them if it does not follow the last frame.
        """
        if not self._scene_cut.follows(rgb, stamp_s):
            self.forget()
        return tuple(self._contexts)

    def remember(self, context: FrameContext) -> None:
        """Store the context of the frame that recall() was called with last."""
        self._contexts.append(context)

    def forget(self) -> None:
        self._contexts.clear()
