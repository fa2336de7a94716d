# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Network input size for a frame: as configured, or the checkpoint's number of pixels at the frame's aspect ratio."""
from __future__ import annotations

import math
from dataclasses import dataclass

from fanet_ros.model import MIN_INPUT_PX

Size = tuple[int, int]      # height, width [px]
MAX_INPUT_PX = 8192
SCALE_STEP_PX = 32          # the encoder's stride
SAME_SHAPE = 1.02           # aspect ratios within this factor of the checkpoint's run at exactly its training resolution


@dataclass(frozen=True)
class InputSize:
    """The configured input size: `height` and `width` in px, 0 to derive them from the frame.

    `trained_size` is the checkpoint's (height, width); `scale` is a factor on both sides, which are then rounded to multiples of
    SCALE_STEP_PX.
    """

    height: int
    width: int
    trained_size: tuple[int, int]
    scale: float = 1.0

    @property
    def default(self) -> tuple[int, int]:
        """Height and width for a frame with the checkpoint's aspect ratio."""
        return self.of(*self.trained_size)

    def of(self, frame_height: int, frame_width: int) -> tuple[int, int]:
        """Height and width in px for a frame of this size.

        If one side is given, the other follows from the frame's aspect ratio; if none is, both do, at the checkpoint's number
        of pixels. A frame so narrow that one side would be too short for the network is squeezed.
        """
        trained_height, trained_width = self.trained_size
        pixels, shape = trained_height * trained_width, frame_width / frame_height
        is_trained_shape = 1 / SAME_SHAPE < shape * trained_height / trained_width < SAME_SHAPE
        if self.height and self.width:
            height, width = self.height, self.width
        elif self.height:
            height, width = self.height, _fitting(self.height * shape)
        elif self.width:
            height, width = _fitting(self.width / shape), self.width
        elif is_trained_shape:
            height, width = trained_height, trained_width
        else:
            longest = pixels * self.scale**2 / MIN_INPUT_PX
            height = _fitting(min(math.sqrt(pixels / shape) * self.scale, longest))
            width = _fitting(min(math.sqrt(pixels * shape) * self.scale, longest))
            return height, width
        return scaled_px(height, self.scale), scaled_px(width, self.scale)


def scaled_px(length_px: int, scale: float) -> int:
    """`scale` times `length_px`, as a multiple of SCALE_STEP_PX that the network accepts; unchanged for a scale of 1."""
    return length_px if scale == 1.0 else _fitting(length_px * scale)


def _fitting(length_px: float) -> int:
    least, most = -(-MIN_INPUT_PX // SCALE_STEP_PX), MAX_INPUT_PX // SCALE_STEP_PX
    return SCALE_STEP_PX * min(max(round(length_px / SCALE_STEP_PX), least), most)
