"""Pixels of image messages, which need only look like sensor_msgs/Image or CompressedImage. Needs no ROS.

Everything here looks at the bytes through strided numpy views, so that padded rows and byte order cost nothing.
"""
from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Callable, Optional

import cv2
import numpy as np

from fanet_ros.sources.bit_depth import BitDepth
from fanet_ros.sources.picture_size import JPEG_BEGIN, PNG_BEGIN, picture_size
from fanet_ros.sources.png_palette import without_palette
from fanet_ros.sources.strict_jpeg import decode_strictly
from fanet_ros.sources.transport_format import NO_COLORS, REPUBLISH, VIDEO, TransportFormat

# Is told, in a sentence, what is odd about images that can be read; the same again for every one.
Note = Callable[[str], None]


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
# With two planes of colour below it, each half as high and half as wide.
PLANAR = {'i420': cv2.COLOR_YUV2RGB_I420, 'yv12': cv2.COLOR_YUV2RGB_YV12}
# With a plane of interleaved colour of full size.
NV24 = 'nv24'
LABEL_ENCODINGS = ('mono8', '8UC1')
# OpenCV finds the missing colours of a pixel among its neighbours, so it needs some.
MIN_BAYER_PX = 3
# More than any camera has. A few bytes that went wrong in the head of a JPEG turn it into a grey picture of gigabytes.
MAX_PICTURE_PX = 2**26
HEAD_BYTES = 2**17      # a JPEG may have a thumbnail and a colour profile before its size


def image_to_rgb(message: Any, other: Optional[Callable[[Any], np.ndarray]] = None, *,
                 bit_depth: Optional[BitDepth] = None, note: Note = warnings.warn) -> np.ndarray:
    """Decode `message` into (H, W, 3) uint8 RGB, contiguous.

    :param other: decodes what is not in the tables above
    :param bit_depth: of 16-bit values; None: found for this image alone
    :raises ImageError: sizes that do not fit, an encoding that nobody knows
    """
    if not message.height or not message.width:
        raise ImageError(f'{describe(message)}: height and width must be at least 1', 'empty image')
    _refuse_files(message)
    if message.encoding in (*SEMI_PLANAR, *PLANAR, NV24):
        return _planes_to_rgb(message)
    pixel_format = FORMATS.get(message.encoding)
    if pixel_format is None:
        if other is None:
            raise unknown_encoding(message)
        return other(message)
    if pixel_format.channels == 2 and message.width % 2:
        raise ImageError(f'{describe(message)}: the width must be even', 'odd size')
    if message.encoding.startswith('bayer') and min(message.height, message.width) < MIN_BAYER_PX:
        raise ImageError(f'{describe(message)}: height and width must be at least {MIN_BAYER_PX}',
                         'image too small')
    bytes_per_pixel = pixel_format.channels * pixel_format.bits // 8
    rows = _rows(message, row_bytes=message.width * bytes_per_pixel, rows=message.height)
    if pixel_format.bits == 16:
        values = np.ascontiguousarray(rows).view('>u2' if message.is_bigendian else '<u2')
        rows = (bit_depth or BitDepth()).to_bytes(values, note)
    if pixel_format.channels > 1:
        rows = _unfold(rows, message.width, pixel_format.channels)
    rows = np.ascontiguousarray(rows)
    return rows if pixel_format.to_rgb is None else cv2.cvtColor(rows, pixel_format.to_rgb)


def _refuse_files(message: Any) -> None:
    """Data that are a picture file would pass as pixels, where zeros behind it make up for the length."""
    head = bytes(message.data[:len(PNG_BEGIN)])
    if head.startswith((JPEG_BEGIN, PNG_BEGIN)) and picture_size(bytes(message.data[:HEAD_BYTES])) is not None:
        name = 'PNG' if head == PNG_BEGIN else 'JPEG'
        raise ImageError(f'{describe(message)}: the data are a {name} file; publish it as sensor_msgs/CompressedImage and set '
                         'image_transport to compressed', 'picture file in an Image')


def _planes_to_rgb(message: Any) -> np.ndarray:
    """YUV in planes: nv12, nv21, nv24, i420, yv12."""
    height, width, step = message.height, message.width, message.step
    if message.encoding == NV24:
        rows = _rows(message, row_bytes=width, rows=3 * height)
        brightness = rows[:height]
        data = np.frombuffer(message.data, np.uint8)[height * step:]
        color = data.reshape(height, 2 * step)[:, :2 * width]
        # As nv12 of twice the size, of which every other pixel is taken: by the same arithmetic as the others.
        doubled = np.vstack([brightness.repeat(2, 0).repeat(2, 1), color])
        return np.ascontiguousarray(cv2.cvtColor(doubled, SEMI_PLANAR['nv12'])[::2, ::2])
    if height % 2 or width % 2 or (message.encoding in PLANAR and step % 2):
        raise ImageError(f'{describe(message)}: height and width must be even', 'odd size')
    rows = _rows(message, row_bytes=width, rows=height * 3 // 2)
    if message.encoding in PLANAR and step > width:         # rows of colour have half the padding
        color = np.frombuffer(message.data, np.uint8)[height * step:].reshape(height, step // 2)[:, :width // 2]
        rows = np.vstack([rows[:height], np.ascontiguousarray(color).reshape(height // 2, width)])
    return cv2.cvtColor(np.ascontiguousarray(rows), {**SEMI_PLANAR, **PLANAR}[message.encoding])


def compressed_to_rgb(message: Any, *, bit_depth: Optional[BitDepth] = None, note: Note = warnings.warn) -> np.ndarray:
    """Decode a JPEG, PNG or other picture file into (H, W, 3) uint8 RGB, as the sensor has it: without EXIF's turning.

    A mosaic, by what `format` says, is demosaiced; of lost colour `note` is told.

    :param bit_depth: of 16-bit values; None: found for this image alone
    :raises ImageError: the data are not a picture, or say that it is larger than any camera's
    """
    said = TransportFormat.of(message.format)
    rgb = _undamaged_jpeg(message)
    if rgb is not None:
        return rgb
    picture = _picture(message, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture.dtype == np.uint16:
        picture = (bit_depth or BitDepth()).to_bytes(picture, note)
    if said.lost_color:
        note(said.lost_color)
    if picture.ndim == 3:
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    is_mosaic = said.bayer_pattern in _BAYER and min(picture.shape) >= MIN_BAYER_PX
    return cv2.cvtColor(picture, _BAYER[said.bayer_pattern] if is_mosaic else cv2.COLOR_GRAY2RGB)


def _undamaged_jpeg(message: Any) -> Optional[np.ndarray]:
    """A colour JPEG as RGB, where that can be told from a damaged one; None: see decode_strictly()."""
    data = bytes(message.data)
    if not data.startswith(JPEG_BEGIN):
        return None
    _check_size(message)
    try:
        return decode_strictly(data)
    except ValueError as error:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {len(data)} bytes: a damaged JPEG '
                         f'({" ".join(str(error).split())[:80]}); look at cable and driver', 'damaged picture') from None


def _check_size(message: Any) -> None:
    size = picture_size(bytes(message.data[:HEAD_BYTES]))
    if size is not None and size[0] * size[1] > MAX_PICTURE_PX:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {len(message.data)} bytes: says it is '
                         f'{size[1]}x{size[0]}, expected at most {MAX_PICTURE_PX} pixels', 'unreadable picture')


def _picture(message: Any, mode: int) -> np.ndarray:
    """The picture file in a CompressedImage as OpenCV decodes it in `mode`."""
    data = np.frombuffer(without_palette(bytes(message.data)) if mode == cv2.IMREAD_UNCHANGED else message.data, np.uint8)
    _check_size(message)
    try:
        picture = cv2.imdecode(data, mode) if data.size else None
    except cv2.error:
        picture = None
    if picture is not None and picture.dtype not in (np.uint8, np.uint16):      # of floats, as a depth camera sends them
        picture = None
    if picture is None:
        what = f'compressed image of format {message.format[:40]!r}, {data.size} bytes'
        if VIDEO.search(message.format):
            raise ImageError(f'{what}: {REPUBLISH}', 'video packet')
        if message.format in (*FORMATS, *SEMI_PLANAR, *PLANAR, NV24):
            raise ImageError(f'{what}: these are no file but pixels; publish them as sensor_msgs/Image of encoding '
                             f'{message.format}, and set image_transport to raw', 'pixels in a CompressedImage')
        raise ImageError(f'{what}: not a readable picture (expected JPEG or PNG)', 'unreadable picture')
    return picture


def to_rgb(message: Any) -> np.ndarray:
    """Decode an Image or a CompressedImage into (H, W, 3) uint8 RGB.

    :raises ImageError: see image_to_rgb() and compressed_to_rgb()
    """
    return compressed_to_rgb(message) if hasattr(message, 'format') else image_to_rgb(message)


def to_labels(message: Any) -> np.ndarray:
    """The values of a mask as they are, (H, W) uint8: an Image of 8 bits and one channel, or a picture file of such.

    :raises ImageError: another encoding, sizes that do not fit, not a readable picture
    """
    if not hasattr(message, 'format'):
        if message.encoding not in LABEL_ENCODINGS:
            raise ImageError(f'{describe(message)}: expected a mask of {" or ".join(LABEL_ENCODINGS)}', 'not a mask')
        return np.ascontiguousarray(_rows(message, message.width, message.height))
    labels = _picture(message, cv2.IMREAD_UNCHANGED)
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise ImageError(f'compressed image of format {message.format[:40]!r}, {len(message.data)} bytes: expected a mask, a '
                         'picture of 8 bits and one channel', 'not a mask')
    return labels


def _rows(message: Any, row_bytes: int, rows: int) -> np.ndarray:
    """View of the pixels' bytes without the padding, (rows, row_bytes) uint8."""
    if message.step < row_bytes:
        raise ImageError(f'{describe(message)}: step must be at least {row_bytes}', 'step too small')
    if len(message.data) != rows * message.step:
        raise ImageError(f'{describe(message)}: expected {rows * message.step} bytes of data '
                         f'(step x {rows} rows)', 'data length does not fit')
    return np.frombuffer(message.data, np.uint8).reshape(rows, message.step)[:, :row_bytes]


def _unfold(rows: np.ndarray, width: int, channels: int) -> np.ndarray:
    """(H, W * channels) with any stride -> view (H, W, channels)."""
    stride_row, stride_value = rows.strides
    return np.lib.stride_tricks.as_strided(
        rows, (rows.shape[0], width, channels), (stride_row, stride_value * channels, stride_value),
        writeable=False)


def unknown_encoding(message: Any, why: str = '') -> ImageError:
    """The error for an encoding that nobody knows; `why` in a few words."""
    if VIDEO.search(message.encoding):
        return ImageError(f'{describe(message)}: {REPUBLISH}', 'video packet')
    if NO_COLORS.fullmatch(message.encoding):
        why = 'these values are no colours: is that a depth image?'
    return ImageError(f'{describe(message)}: unknown encoding; publish rgb8, bgr8, mono8, bayer or '
                      f'yuv422{f" ({why})" if why else ""}', 'unknown encoding')


def describe(message: Any) -> str:
    """An Image in words, for errors."""
    return (f'image of encoding {message.encoding[:40]!r}, {message.width}x{message.height}, '
            f'step {message.step}, {len(message.data)} bytes')
