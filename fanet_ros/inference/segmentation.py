# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs and results of inference."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Protocol, Union

import numpy as np


class SegmentationError(ValueError):
    """Inference cannot be set up or changed as requested; one line: what was expected, what was given, what to do."""


@dataclass(frozen=True, eq=False)
class OverlayColors:
    """Colours to blend over the frame: `palette` (256, 3) uint8 RGB by class index, `alpha` 0 (frame) .. 1 (colours)."""

    palette: np.ndarray
    alpha: float


class CameraImage(Protocol):
    """An image as sent by a camera, such as images.raw_image.RawImage.

    `rows` (R, B) uint8 are its bytes without padding, laid out as in the sensor_msgs `encoding`. `rgb` (H, W, 3) uint8 is
    converted on the CPU on first access. `frame_size` is the height and width of the camera's image, which may have been reduced
    on decoding; results have that size.
    """

    @property
    def encoding(self) -> str: ...

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def frame_size(self) -> tuple[int, int]: ...

    @property
    def rows(self) -> np.ndarray: ...

    @property
    def rgb(self) -> np.ndarray: ...


@dataclass(frozen=True)
class FrameInput:
    """One of several frames to be segmented together; for the fields see Segmenter.segment().

    `image` is (H, W, 3) uint8 RGB, or as the camera sent it: then a GPU converts its bytes to RGB. `overlay` is drawn only on a
    GPU, which already holds the frame; on the CPU the mask should not wait for it.
    """

    image: Union[np.ndarray, CameraImage]
    confidence: bool = False
    stamp_s: Optional[float] = None
    camera: str = ''
    overlay: Optional[OverlayColors] = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the camera's image in px."""
        if isinstance(self.image, np.ndarray):
            height, width = self.image.shape[:2]
            return height, width
        return self.image.frame_size

    @property
    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8, converted on the CPU if necessary; smaller than `size` if the image was reduced on decoding."""
        return self.image if isinstance(self.image, np.ndarray) else self.image.rgb

    def check(self) -> None:
        """:raises ValueError: `image` is an array, but not (H, W, 3) uint8"""
        image = self.image
        if isinstance(image, np.ndarray) and (image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size):
            raise ValueError(f'expected a frame of (H, W, 3) uint8, got {image.shape} {image.dtype}')


@dataclass(frozen=True)
class StageTimes:
    """Time of each stage on the device, in milliseconds, for all frames that were segmented together."""

    preprocess_ms: float
    network_ms: float
    postprocess_ms: float


@dataclass(frozen=True)
class Segmentation:
    """Labels of one frame, at the frame's own size.

    `labels` is (H, W) uint8, a class index per pixel. `confidence`, if requested, is (H, W) uint8: the softmax probability of
    that class times 255. `overlay`, if requested and drawn on a GPU, is (H, W, 3) uint8 RGB. The network ran at `input_height`
    x `input_width` pixels, on `batch_size` frames at once.
    """

    labels: np.ndarray
    confidence: Optional[np.ndarray]
    times: StageTimes
    input_height: int
    input_width: int
    batch_size: int = 1
    overlay: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        for name, array in (('labels', self.labels), ('confidence', self.confidence)):
            if array is not None and (array.dtype != np.uint8 or array.shape != self.labels.shape or array.ndim != 2):
                raise ValueError(f'{name}: expected (H, W) uint8, got {array.shape} {array.dtype}')
