# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contents of a recording of camera and node: topics, headers, timings, frames."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np


@dataclass(frozen=True)
class TopicNames:
    """The topics of one camera in a bag. `camera` may carry Image or CompressedImage."""

    camera: str = '/image'
    mask: str = '/segmentation/mask'
    overlay: str = '/segmentation/overlay'
    timing: str = '/segmentation/timing'
    truth: str = '/ground_truth'


@dataclass(frozen=True)
class RecordedImage:
    """Metadata of one image message, without its pixels.

    `stamp_ns` is the camera's stamp, `received_ns` the recorder's time of reception, in ns since the epoch. `height` and
    `width` [px] are 0 for a compressed image; `values` lists the distinct pixel values of a mono8 image.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    height: int = 0
    width: int = 0
    step: int = 0
    encoding: str = ''
    values: tuple[int, ...] = ()


@dataclass(frozen=True)
class RecordedTiming:
    """One FrameTiming message; fields named as in the message."""

    stamp_ns: int
    input_height: int
    input_width: int
    frame_age_ms: float
    wait_ms: float
    convert_ms: float
    preprocess_ms: float
    network_ms: float
    postprocess_ms: float
    publish_ms: float
    overlay_ms: float
    total_ms: float
    frames_received: int
    frames_segmented: int
    frames_dropped: int
    frames_rejected: int


@dataclass(frozen=True)
class SegmentedFrame:
    """A segmented camera frame: rgb and overlay (H, W, 3) uint8 RGB, labels and ground truth (H, W) uint8.

    overlay and truth are None if the bag has none for this stamp.
    """

    stamp_ns: int
    rgb: np.ndarray
    labels: np.ndarray
    overlay: Optional[np.ndarray]
    truth: Optional[np.ndarray]
