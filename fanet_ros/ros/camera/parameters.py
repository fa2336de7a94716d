# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of the camera node; all are fixed at start-up."""
from __future__ import annotations

from dataclasses import dataclass

from fanet_ros.ros.common.parameters import Settings, fixed_parameter


@dataclass(frozen=True)
class CameraSettings(Settings):
    """Parameter values of camera_node."""

    source: str = fixed_parameter('street', 'street (synthetic), path of a video, folder of images, or V4L2 device')
    rate_hz: float = fixed_parameter(10.0, 'Frames published per second', unit='Hz', minimum=0.1, maximum=1000.0)
    width: int = fixed_parameter(0, "Width of the images; 0: the source's own", unit='px', minimum=0, maximum=8192)
    height: int = fixed_parameter(0, "Height of the images; 0: the source's own", unit='px', minimum=0, maximum=8192)
    transport: str = fixed_parameter('raw', 'raw: Image on image; compressed: JPEG CompressedImage on image/compressed',
                                     choices=('raw', 'compressed'))
    jpeg_quality: int = fixed_parameter(90, 'JPEG quality of compressed images', minimum=1, maximum=100)
    loop: bool = fixed_parameter(True, 'Restart a video or folder at its end')
    seed: int = fixed_parameter(0, 'Seed of the synthetic street', minimum=0, maximum=2147483647)
    frame_id: str = fixed_parameter('camera_optical_frame', 'frame_id of the images')
    count: int = fixed_parameter(0, 'Frames to publish before the node exits; 0: unlimited', minimum=0, maximum=2147483647)
