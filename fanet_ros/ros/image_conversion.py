"""Between ROS image messages and numpy arrays.

rclpy hands over the data as an array of bytes; everything here looks at it through strided numpy views, so
that padded rows and byte order cost nothing. cv_bridge is asked only for encodings not in the tables below.
"""
from __future__ import annotations

import array
import sys
from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header


class ImageError(ValueError):
    """An image message cannot be used; the text gives encoding, sizes, reason and remedy.

    `kind` is the reason in two or three words, one of a few, so that rejections can be counted by it.
    """

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class PixelFormat:
    """How an encoding lies in memory: channels of `bits` each; and OpenCV's conversion (None: is RGB)."""

    channels: int
    bits: int
    to_rgb: Optional[int]


# ROS names a Bayer pattern by its pixels from (0, 0) on, OpenCV by those from (1, 1) on.
_BAYER = {'rggb': cv2.COLOR_BayerBG2RGB, 'bggr': cv2.COLOR_BayerRG2RGB,
          'gbrg': cv2.COLOR_BayerGR2RGB, 'grbg': cv2.COLOR_BayerGB2RGB}

FORMATS: dict[str, PixelFormat] = {
    'rgb8': PixelFormat(3, 8, None), 'bgr8': PixelFormat(3, 8, cv2.COLOR_BGR2RGB),
    'rgba8': PixelFormat(4, 8, cv2.COLOR_RGBA2RGB), 'bgra8': PixelFormat(4, 8, cv2.COLOR_BGRA2RGB),
    'mono8': PixelFormat(1, 8, cv2.COLOR_GRAY2RGB), '8UC1': PixelFormat(1, 8, cv2.COLOR_GRAY2RGB),
    '8UC3': PixelFormat(3, 8, cv2.COLOR_BGR2RGB), '8UC4': PixelFormat(4, 8, cv2.COLOR_BGRA2RGB),
    'rgb16': PixelFormat(3, 16, None), 'bgr16': PixelFormat(3, 16, cv2.COLOR_BGR2RGB),
    'rgba16': PixelFormat(4, 16, cv2.COLOR_RGBA2RGB), 'bgra16': PixelFormat(4, 16, cv2.COLOR_BGRA2RGB),
    'mono16': PixelFormat(1, 16, cv2.COLOR_GRAY2RGB), '16UC1': PixelFormat(1, 16, cv2.COLOR_GRAY2RGB),
    'yuv422': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_UYVY), 'uyvy': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': PixelFormat(2, 8, cv2.COLOR_YUV2RGB_YUY2),
    **{f'bayer_{name}{bits}': PixelFormat(1, bits, code)
       for name, code in _BAYER.items() for bits in (8, 16)},
}
# A plane of brightness with a half-height plane of interleaved colour below it.
SEMI_PLANAR = {'nv12': cv2.COLOR_YUV2RGB_NV12, 'nv21': cv2.COLOR_YUV2RGB_NV21}
# OpenCV finds the missing colours of a pixel among its neighbours, so it needs some.
MIN_BAYER_PX = 3


def image_to_rgb(message: Image) -> np.ndarray:
    """Decode `message` into (H, W, 3) uint8 RGB, contiguous. 16-bit values keep their upper byte.

    :raises ImageError: sizes that do not fit, an encoding that nobody knows
    """
    if not message.height or not message.width:
        raise ImageError(f'{_describe(message)}: height and width must be at least 1', 'empty image')
    if message.encoding in SEMI_PLANAR:
        if message.height % 2 or message.width % 2:
            raise ImageError(f'{_describe(message)}: height and width must be even', 'odd size')
        rows = _rows(message, row_bytes=message.width, rows=message.height * 3 // 2)
        return cv2.cvtColor(np.ascontiguousarray(rows), SEMI_PLANAR[message.encoding])
    pixel_format = FORMATS.get(message.encoding)
    if pixel_format is None:
        return _by_cv_bridge(message)
    if pixel_format.channels == 2 and message.width % 2:
        raise ImageError(f'{_describe(message)}: the width must be even', 'odd size')
    if message.encoding.startswith('bayer') and min(message.height, message.width) < MIN_BAYER_PX:
        raise ImageError(f'{_describe(message)}: height and width must be at least {MIN_BAYER_PX}',
                         'image too small')
    bytes_per_pixel = pixel_format.channels * pixel_format.bits // 8
    rows = _rows(message, row_bytes=message.width * bytes_per_pixel, rows=message.height)
    if pixel_format.bits == 16:
        rows = rows[:, 0 if message.is_bigendian else 1::2]         # the upper byte of every value
    if pixel_format.channels > 1:
        rows = _unfold(rows, message.width, pixel_format.channels)
    rows = np.ascontiguousarray(rows)
    return rows if pixel_format.to_rgb is None else cv2.cvtColor(rows, pixel_format.to_rgb)


def compressed_to_rgb(message: CompressedImage) -> np.ndarray:
    """Decode a JPEG, PNG or other picture file into (H, W, 3) uint8 RGB.

    :raises ImageError: the data are not a picture
    """
    data = np.frombuffer(message.data, np.uint8)
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {data.size} bytes: not a '
                         'readable picture (expected JPEG or PNG)', 'unreadable picture')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def rgb_to_image_message(rgb: np.ndarray, header: Header) -> Image:
    """Make an rgb8 message of (H, W, 3) uint8."""
    return _message(rgb, 'rgb8', header)


def labels_to_image_message(labels: np.ndarray, header: Header) -> Image:
    """Make a mono8 message of (H, W) uint8; its step is its width."""
    return _message(labels, 'mono8', header)


def _message(pixels: np.ndarray, encoding: str, header: Header) -> Image:
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding, is_bigendian=0,
                    step=width * (pixels.size // (height * width)))
    # An array('B') is taken over as it is; any other type rclpy checks byte by byte.
    message.data = array.array('B', np.ascontiguousarray(pixels).tobytes())
    return message


def _rows(message: Image, row_bytes: int, rows: int) -> np.ndarray:
    """View of the pixels' bytes without the padding, (rows, row_bytes) uint8."""
    if message.step < row_bytes:
        raise ImageError(f'{_describe(message)}: step must be at least {row_bytes}', 'step too small')
    if len(message.data) != rows * message.step:
        raise ImageError(f'{_describe(message)}: expected {rows * message.step} bytes of data '
                         f'(step x {rows} rows)', 'data length does not fit')
    return np.frombuffer(message.data, np.uint8).reshape(rows, message.step)[:, :row_bytes]


def _unfold(rows: np.ndarray, width: int, channels: int) -> np.ndarray:
    """(H, W * channels) with any stride -> view (H, W, channels)."""
    stride_row, stride_value = rows.strides
    return np.lib.stride_tricks.as_strided(
        rows, (rows.shape[0], width, channels), (stride_row, stride_value * channels, stride_value),
        writeable=False)


def _by_cv_bridge(message: Image) -> np.ndarray:
    try:
        from cv_bridge import CvBridge
        if message.is_bigendian and sys.byteorder == 'little':
            raise ValueError('big-endian')
        bridge = CvBridge()
        dtype, channels = bridge.encoding_to_dtype_with_channels(message.encoding)
        row_bytes = message.width * channels * np.dtype(dtype).itemsize
        # cv_bridge looks at neither, and would make a picture of the wrong bytes.
        if message.step != row_bytes or len(message.data) != message.height * row_bytes:
            raise ValueError(f'expected step {row_bytes} and {message.height * row_bytes} bytes')
        return np.ascontiguousarray(bridge.imgmsg_to_cv2(message, 'rgb8'))
    except Exception as error:      # whatever an unknown encoding provokes there, this message is at fault
        raise ImageError(f'{_describe(message)}: unknown encoding; publish rgb8, bgr8, mono8, bayer or '
                         f'yuv422 ({" ".join(str(error).split())[:80]})', 'unknown encoding') from None


def _describe(message: Image) -> str:
    return (f'image of encoding {message.encoding[:40]!r}, {message.width}x{message.height}, '
            f'step {message.step}, {len(message.data)} bytes')
