# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encodes ROS images as JPEG and PNG files for the browser, limited in width."""
from __future__ import annotations

from typing import Union

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.images.encoded_size import JPEG_BEGIN, encoded_size
from fanet_ros.ros.common.image_conversion import ImageError, raw_image
from fanet_ros.ros.dashboard.frame_join import JoinedFrame
from fanet_ros.ros.dashboard.wire import Blob

PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]      # label images are flat areas: higher levels save little


class ImageEncoder:
    """Encodes the layers of the frames of one camera.

    :param max_width: in px; wider images are scaled down
    :param jpeg_quality: 1..100
    """

    def __init__(self, max_width: int, jpeg_quality: int) -> None:
        self._max_width = max_width
        self._jpeg = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        self._depth = BitDepth()

    def encode(self, frame: JoinedFrame, layer: str) -> Blob:
        """Encode one layer: `camera` as JPEG, `mask` and `confidence` losslessly as PNG.

        :raises ImageError: unreadable message; says what was expected
        """
        message = frame.parts[layer]
        if layer == 'camera':
            return Blob(layer, 'image/jpeg', self._camera(message))
        values = self._fit(byte_image(message, layer), cv2.INTER_NEAREST)
        return Blob(layer, 'image/png', cv2.imencode('.png', values, PNG)[1].tobytes())

    def _camera(self, message: Union[Image, CompressedImage]) -> bytes:
        if isinstance(message, CompressedImage):
            content = bytes(message.data)
            size = encoded_size(content)
            if content.startswith(JPEG_BEGIN) and size is not None and size[1] <= self._max_width:
                return content          # unmodified: the browser reads it too
        # Without notes on odd images: the segmentation node, which reads the same images, reports them.
        rgb = self._fit(raw_image(message, bit_depth=self._depth, note=lambda text: None).rgb, cv2.INTER_AREA)
        return cv2.imencode('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), self._jpeg)[1].tobytes()

    def _fit(self, pixels: np.ndarray, interpolation: int) -> np.ndarray:
        height, width = pixels.shape[:2]
        if width <= self._max_width:
            return pixels
        size = self._max_width, max(1, round(height * self._max_width / width))
        return cv2.resize(pixels, size, interpolation=interpolation)


def byte_image(message: Image, layer: str) -> np.ndarray:
    """(H, W) uint8 view of a mono8 image.

    :raises ImageError: any other image
    """
    height, width, step = message.height, message.width, message.step
    if message.encoding != 'mono8' or not height or not width or step < width or len(message.data) < height * step:
        raise ImageError(f'{layer}: expected a mono8 image of height*step bytes, got {message.encoding!r:.20}, '
                         f'{width}x{height}, step {step}, {len(message.data)} bytes', 'no mono8 image')
    return np.frombuffer(message.data, np.uint8, height * step).reshape(height, step)[:, :width]
