"""What a video network keeps of the frames before, and when it had better forget them."""
from __future__ import annotations

from collections import deque
from typing import Optional

import cv2
import numpy as np

from fanet_ros.model import FrameContext

MAX_GAP_S = 0.5             # frames further apart say little of one another
THUMBNAIL_PX = (16, 12)
CUT_CHANGE = 45.0           # mean change of a thumbnail's brightness, of 255, that no moving camera makes between two frames


class VideoMemory:
    """Contexts of the last frames, oldest first.

    :param length: how many frames before the present one are attended to
    """

    def __init__(self, length: int) -> None:
        self._contexts: deque[FrameContext] = deque(maxlen=length)
        self._last_stamp_s: Optional[float] = None
        self._last_thumbnail: Optional[np.ndarray] = None

    def recall(self, rgb: np.ndarray, stamp_s: Optional[float]) -> tuple[FrameContext, ...]:
        """Contexts that frame `rgb` (H, W, 3) uint8, taken at `stamp_s` (None: unknown), may attend to.

        Forgets all of them when the picture is another one altogether, or when time jumps.
        """
        thumbnail = cv2.cvtColor(cv2.resize(rgb, THUMBNAIL_PX, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        if self._is_cut(thumbnail) or self._is_gap(stamp_s):
            self.forget()
        self._last_thumbnail, self._last_stamp_s = thumbnail, stamp_s
        return tuple(self._contexts)

    def remember(self, context: FrameContext) -> None:
        """Keep the context of the frame that was recalled for last."""
        self._contexts.append(context)

    def forget(self) -> None:
        """Begin anew with the next frame."""
        self._contexts.clear()

    def _is_cut(self, thumbnail: np.ndarray) -> bool:
        if self._last_thumbnail is None:
            return False
        return float(cv2.absdiff(thumbnail, self._last_thumbnail).mean()) > CUT_CHANGE

    def _is_gap(self, stamp_s: Optional[float]) -> bool:
        if stamp_s is None or self._last_stamp_s is None:
            return False
        return not 0 < stamp_s - self._last_stamp_s <= MAX_GAP_S
