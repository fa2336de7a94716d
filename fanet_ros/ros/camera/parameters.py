# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the camera stand-in, in one table."""
from __future__ import annotations

from fanet_ros.ros.common.parameters import ParameterSpec

CAMERA_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec('source', 'street', 'street (synthetic), path of a video, folder of images, or a V4L2 device',
                  read_only=True),
    ParameterSpec('rate_hz', 10.0, 'Frames published per second', unit='Hz', minimum=0.1, maximum=1000.0,
                  read_only=True),
    ParameterSpec('width', 0, "Width of the images; 0: the source's own", unit='px', minimum=0, maximum=8192,
                  read_only=True),
    ParameterSpec('height', 0, "Height of the images; 0: the source's own", unit='px', minimum=0, maximum=8192,
                  read_only=True),
    ParameterSpec('transport', 'raw', 'raw: Image on image; compressed: JPEG CompressedImage on image/compressed',
                  choices=('raw', 'compressed'), read_only=True),
    ParameterSpec('jpeg_quality', 90, 'Quality of compressed images', minimum=1, maximum=100, read_only=True),
    ParameterSpec('loop', True, 'Start a video or a folder over when it ends', read_only=True),
    ParameterSpec('seed', 0, 'Which synthetic street', minimum=0, maximum=2147483647, read_only=True),
    ParameterSpec('frame_id', 'camera_optical_frame', 'Frame of the images', read_only=True),
    ParameterSpec('count', 0, 'Frames to publish before the node ends; 0: no end', minimum=0, maximum=2147483647,
                  read_only=True),
)
