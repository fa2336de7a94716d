# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decodes image messages, anything shaped like sensor_msgs/Image or CompressedImage, into arrays. Needs no ROS.

Bytes are read through strided numpy views, so that padded rows and byte order cost nothing.
"""
from __future__ import annotations

import warnings
from typing import Any, Callable, Optional

import cv2
import numpy as np

from fanet_ros.error_text import error_text
from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.images.encoded_size import JPEG_BEGIN, PNG_BEGIN, encoded_size, is_image_file
from fanet_ros.images.png_palette import without_palette
from fanet_ros.images.raw_image import BAYER, FORMATS, NV24, PLANAR, SEMI_PLANAR, RawImage
from fanet_ros.images.strict_jpeg import Suffices, decode_strictly
from fanet_ros.images.transport_format import NO_COLORS, REPUBLISH, VIDEO, TransportFormat

# Called with a sentence about what is odd in an image that can still be decoded; the same for every such image.
Note = Callable[[str], None]


class ImageError(ValueError):
    """An image message cannot be used; the text gives encoding, sizes, reason and remedy.

    `kind` is the reason in a few words, from a small fixed set, so that rejections can be counted by it.
    """

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


LABEL_ENCODINGS = ('mono8', '8UC1')
# OpenCV interpolates the missing colours of a pixel from its neighbours, so it needs some.
MIN_BAYER_PX = 3
# More than any camera has. A few corrupt bytes in the header of a JPEG can turn it into a grey image of gigabytes.
MAX_IMAGE_PX = 2**26
HEAD_BYTES = 2**17      # a JPEG may have a thumbnail and a colour profile before its size


def raw_image(message: Any, other: Optional[Callable[[Any], np.ndarray]] = None, *,
              bit_depth: Optional[BitDepth] = None, note: Note = warnings.warn) -> RawImage:
    """The pixels of `message` as the camera sent them; 16 bits become 8.

    :param other: decodes encodings that are not in the tables of raw_image.py into RGB
    :param bit_depth: for 16-bit values; None: determined from this image alone
    :raises ImageError: inconsistent sizes, an unknown encoding
    """
    if not message.height or not message.width:
        raise ImageError(f'{describe(message)}: height and width must be at least 1', 'empty image')
    _refuse_files(message)
    if message.encoding in (*SEMI_PLANAR, *PLANAR, NV24):
        return RawImage(message.encoding, message.height, message.width, _plane_rows(message))
    pixel_format = FORMATS.get(message.encoding)
    if pixel_format is None:
        if other is None:
            raise unknown_encoding(message)
        return RawImage.of_rgb(other(message))
    if pixel_format.channels == 2 and message.width % 2:
        raise ImageError(f'{describe(message)}: the width must be even', 'odd size')
    if message.encoding.startswith('bayer') and min(message.height, message.width) < MIN_BAYER_PX:
        raise ImageError(f'{describe(message)}: height and width must be at least {MIN_BAYER_PX}',
                         'image too small')
    bytes_per_pixel = pixel_format.channels * pixel_format.bits // 8
    rows, encoding = _rows(message, row_bytes=message.width * bytes_per_pixel, rows=message.height), message.encoding
    if pixel_format.bits == 16:
        values, encoding = np.ascontiguousarray(rows).view('>u2' if message.is_bigendian else '<u2'), encoding.replace('16', '8')
        if pixel_format.channels == 4:      # opaque alpha takes all 16 bits, whatever the colours take
            values = values.reshape(message.height, message.width, 4)[..., :3].reshape(message.height, -1)
            encoding = encoding.replace('a', '')
        rows = (bit_depth or BitDepth()).to_bytes(values, note)
    return RawImage(encoding, message.height, message.width, rows)


def _refuse_files(message: Any) -> None:
    """Reject an image file sent as pixels: padded with zeros to the expected length, it would be accepted."""
    head = bytes(message.data[:len(PNG_BEGIN)])
    if head.startswith((JPEG_BEGIN, PNG_BEGIN)) and is_image_file(bytes(message.data[:HEAD_BYTES])):
        name = 'PNG' if head == PNG_BEGIN else 'JPEG'
        raise ImageError(f'{describe(message)}: the data are a {name} file; publish it as sensor_msgs/CompressedImage and set '
                         'image_transport to compressed', 'image file in an Image')


def _plane_rows(message: Any) -> np.ndarray:
    """The rows of a RawImage in planar YUV: nv12, nv21, nv24, i420, yv12."""
    height, width, step = message.height, message.width, message.step
    if message.encoding == NV24:
        rows = _rows(message, row_bytes=width, rows=3 * height)
        if step > width:                # a chroma row is as long as two luma rows, and so is its padding
            chroma = np.frombuffer(message.data, np.uint8)[height * step:].reshape(height, 2 * step)[:, :2 * width]
            rows = np.vstack([rows[:height], np.ascontiguousarray(chroma).reshape(2 * height, width)])
        return rows
    if height % 2 or width % 2 or (message.encoding in PLANAR and step % 2):
        raise ImageError(f'{describe(message)}: height and width must be even', 'odd size')
    rows = _rows(message, row_bytes=width, rows=height * 3 // 2)
    if message.encoding in PLANAR and step > width:         # chroma rows have half the padding
        chroma = np.frombuffer(message.data, np.uint8)[height * step:].reshape(height, step // 2)[:, :width // 2]
        rows = np.vstack([rows[:height], np.ascontiguousarray(chroma).reshape(height // 2, width)])
    return rows


def compressed_image(message: Any, *, bit_depth: Optional[BitDepth] = None, note: Note = warnings.warn,
                     suffices: Optional[Suffices] = None) -> RawImage:
    """Decode a JPEG, PNG or other image file as RGB in sensor orientation, ignoring EXIF rotation.

    A Bayer mosaic, according to `format`, is demosaiced; `note` is called if colour was lost in compression.

    :param bit_depth: for 16-bit values; None: determined from this image alone
    :param suffices: a JPEG may be decoded at a fraction of its size that is no smaller than this; None: at its full size
    :raises ImageError: the data are not a readable image, or claim to be larger than any camera's
    """
    transport_format = TransportFormat.of(message.format)
    jpeg = _undamaged_jpeg(message, suffices)
    if jpeg is not None:
        return RawImage.of_rgb(*jpeg)
    image = _decoded_file(message, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image.dtype == np.uint16:
        image = (bit_depth or BitDepth()).to_bytes(image, note)
    if transport_format.lost_color:
        note(transport_format.lost_color)
    if image.ndim == 3:
        return RawImage.of_rgb(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    is_mosaic = transport_format.bayer_pattern in BAYER and min(image.shape) >= MIN_BAYER_PX
    return RawImage.of_rgb(cv2.cvtColor(image, BAYER[transport_format.bayer_pattern] if is_mosaic else cv2.COLOR_GRAY2RGB))


def _undamaged_jpeg(message: Any, suffices: Optional[Suffices]) -> Optional[tuple[np.ndarray, tuple[int, int]]]:
    """A colour JPEG as RGB and its size, checked for damage; None if it cannot be checked, see decode_strictly()."""
    data = bytes(message.data)
    if not data.startswith(JPEG_BEGIN):
        return None
    _check_size(message)
    try:
        return decode_strictly(data, suffices)
    except ValueError as error:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {len(data)} bytes: a damaged JPEG '
                         f'({error_text(error, 80)}); check cable and driver', 'damaged image') from None


def _check_size(message: Any) -> None:
    size = encoded_size(bytes(message.data[:HEAD_BYTES]))
    if size is not None and size[0] * size[1] > MAX_IMAGE_PX:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {len(message.data)} bytes: claims to be '
                         f'{size[1]}x{size[0]}, expected at most {MAX_IMAGE_PX} pixels', 'unreadable image')


def _decoded_file(message: Any, mode: int) -> np.ndarray:
    """The image file in a CompressedImage, decoded by OpenCV in `mode`."""
    data = np.frombuffer(without_palette(bytes(message.data)) if mode == cv2.IMREAD_UNCHANGED else message.data, np.uint8)
    _check_size(message)
    try:
        image = cv2.imdecode(data, mode) if data.size else None
    except cv2.error:
        image = None
    if image is not None and image.dtype not in (np.uint8, np.uint16):      # float, as depth cameras send
        image = None
    if image is None:
        what = f'compressed image of format {message.format[:40]!r}, {data.size} bytes'
        if VIDEO.search(message.format):
            raise ImageError(f'{what}: {REPUBLISH}', 'video packet')
        if message.format in (*FORMATS, *SEMI_PLANAR, *PLANAR, NV24):
            raise ImageError(f'{what}: the data are pixels, not a file; publish them as sensor_msgs/Image with encoding '
                             f'{message.format}, and set image_transport to raw', 'pixels in a CompressedImage')
        raise ImageError(f'{what}: not a readable image (expected JPEG or PNG)', 'unreadable image')
    return image


def to_rgb(message: Any, *, bit_depth: Optional[BitDepth] = None, note: Note = warnings.warn) -> np.ndarray:
    """Decode an Image or a CompressedImage into (H, W, 3) uint8 RGB, contiguous.

    :param bit_depth: for 16-bit values; None: determined from this image alone
    :raises ImageError: see raw_image() and compressed_image()
    """
    decode = compressed_image if hasattr(message, 'format') else raw_image
    return decode(message, bit_depth=bit_depth, note=note).rgb


def to_labels(message: Any) -> np.ndarray:
    """The values of a mask unmodified, (H, W) uint8: from an Image or an image file of 8 bits and one channel.

    :raises ImageError: another encoding, inconsistent sizes, an unreadable file
    """
    if not hasattr(message, 'format'):
        if message.encoding not in LABEL_ENCODINGS:
            raise ImageError(f'{describe(message)}: expected a mask of {" or ".join(LABEL_ENCODINGS)}', 'not a mask')
        return np.ascontiguousarray(_rows(message, message.width, message.height))
    labels = _decoded_file(message, cv2.IMREAD_UNCHANGED)
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {len(message.data)} bytes: expected a mask '
                         'of 8 bits and one channel', 'not a mask')
    return labels


def _rows(message: Any, row_bytes: int, rows: int) -> np.ndarray:
    """View of the pixel bytes without padding, (rows, row_bytes) uint8."""
    if message.step < row_bytes:
        raise ImageError(f'{describe(message)}: step must be at least {row_bytes}', 'step too small')
    if len(message.data) != rows * message.step:
        raise ImageError(f'{describe(message)}: expected {rows * message.step} bytes of data '
                         f'(step x {rows} rows)', 'data length does not fit')
    return np.frombuffer(message.data, np.uint8).reshape(rows, message.step)[:, :row_bytes]


def unknown_encoding(message: Any, why: str = '') -> ImageError:
    """The error for an unknown encoding; `why` in a few words."""
    if VIDEO.search(message.encoding):
        return ImageError(f'{describe(message)}: {REPUBLISH}', 'video packet')
    if NO_COLORS.fullmatch(message.encoding):
        why = 'these values are not colours: is this a depth image?'
    return ImageError(f'{describe(message)}: unknown encoding; publish rgb8, bgr8, mono8, bayer or '
                      f'yuv422{f" ({why})" if why else ""}', 'unknown encoding')


def describe(message: Any) -> str:
    """Encoding and sizes of an Image, for error messages."""
    return (f'image of encoding {message.encoding[:40]!r}, {message.width}x{message.height}, '
            f'step {message.step}, {len(message.data)} bytes')
