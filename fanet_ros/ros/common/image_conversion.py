# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion between ROS image messages and numpy arrays.

The byte array of a message is read through strided numpy views, so that row padding and byte order cost nothing.
cv_bridge is only used for encodings that are not in FORMATS or SEMI_PLANAR.
"""
from __future__ import annotations

import array
import sys
import warnings
from typing import Optional, Union

import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.error_text import error_text
from fanet_ros.images import decoding as image_decoding
from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.images.decoding import ImageError, Note, compressed_image, unknown_encoding
from fanet_ros.images.raw_image import FORMATS, SEMI_PLANAR, RawImage
from fanet_ros.images.strict_jpeg import Suffices

__all__ = ['FORMATS', 'SEMI_PLANAR', 'ImageError', 'labels_to_image_message', 'raw_image', 'rgb_to_image_message']


def raw_image(message: Union[Image, CompressedImage], *, bit_depth: Optional[BitDepth] = None,
              note: Note = warnings.warn, suffices: Optional[Suffices] = None) -> RawImage:
    """The pixels of `message` as the camera sent them; RGB for a CompressedImage.

    :param bit_depth: of 16-bit values; None: derived from this image alone
    :param note: called with a description of any issue with an image that can still be decoded
    :param suffices: see compressed_image()
    :raises ImageError: inconsistent sizes, an unknown encoding, or a compressed image that cannot be decoded
    """
    if isinstance(message, CompressedImage):
        return compressed_image(message, bit_depth=bit_depth, note=note, suffices=suffices)
    return image_decoding.raw_image(message, _by_cv_bridge, bit_depth=bit_depth, note=note)


def rgb_to_image_message(rgb: np.ndarray, header: Header) -> Image:
    """Make an rgb8 message from `rgb`, (H, W, 3) uint8."""
    return _message(rgb, 'rgb8', header)


def labels_to_image_message(labels: np.ndarray, header: Header) -> Image:
    """Make a mono8 message without padding from `labels`, (H, W) uint8."""
    return _message(labels, 'mono8', header)


def _message(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding, is_bigendian=0,
                    step=width * (pixels.size // (height * width)))
    # rclpy accepts an array('B') directly and checks any other type byte by byte.
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(pixels).data)       # the only copy
    message.data = data
    return message


def _by_cv_bridge(message: Image) -> np.ndarray:
    try:
        from cv_bridge import CvBridge
        if message.is_bigendian and sys.byteorder == 'little':
            raise ValueError('big-endian')
        bridge = CvBridge()
        dtype, channels = bridge.encoding_to_dtype_with_channels(message.encoding)
        row_bytes = message.width * channels * np.dtype(dtype).itemsize
        # cv_bridge checks neither and would read the wrong bytes.
        if message.step != row_bytes or len(message.data) != message.height * row_bytes:
            raise ValueError(f'expected step {row_bytes} and {message.height * row_bytes} bytes')
        return np.ascontiguousarray(bridge.imgmsg_to_cv2(message, 'rgb8'))
    except KeyError:                # from its tables: it does not know the encoding either
        raise unknown_encoding(message) from None
    except Exception as error:      # any failure inside cv_bridge is due to this message
        raise unknown_encoding(message, error_text(error, 80)) from None
