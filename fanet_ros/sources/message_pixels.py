"""Pixels of recorded image messages, which need only look like sensor_msgs/Image or CompressedImage. Needs no ROS."""
from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from fanet_ros.sources.frame import SourceError

# encoding -> channels, and the OpenCV conversion to RGB (None: as it is)
_ENCODINGS = {'rgb8': (3, None), 'bgr8': (3, cv2.COLOR_BGR2RGB), 'rgba8': (4, cv2.COLOR_RGBA2RGB),
              'bgra8': (4, cv2.COLOR_BGRA2RGB), 'mono8': (1, None)}


def message_pixels(message: Any) -> np.ndarray:
    """(H, W, 3) uint8 RGB, or (H, W) uint8 for mono8 and for compressed pictures of one channel.

    :raises SourceError: another encoding, or data that do not fit it
    """
    if hasattr(message, 'format'):
        pixels = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_UNCHANGED)
        if pixels is None or pixels.dtype != np.uint8:
            raise SourceError(f'cannot decode a recorded image of format {message.format!r}')
        return pixels if pixels.ndim == 2 else cv2.cvtColor(pixels[..., :3], cv2.COLOR_BGR2RGB)
    if message.encoding not in _ENCODINGS:
        raise SourceError(f'recorded image is {message.encoding}: expected one of {", ".join(_ENCODINGS)}')
    channels, conversion = _ENCODINGS[message.encoding]
    data = np.asarray(message.data)
    if message.step < message.width * channels or data.size < message.height * message.step:
        raise SourceError(f'recorded image is {message.width}x{message.height} {message.encoding} with step '
                          f'{message.step}, but holds {data.size} bytes')
    pixels = data[:message.height * message.step].reshape(message.height, message.step)[:, :message.width * channels]
    if channels == 1:
        return pixels
    pixels = pixels.reshape(message.height, message.width, channels)
    return pixels if conversion is None else cv2.cvtColor(pixels, conversion)
