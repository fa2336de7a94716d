# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Size of an image file, read from its header before any memory is spent on decoding it."""
from __future__ import annotations

import struct
from typing import Optional

PNG_BEGIN = b'\x89PNG\r\n\x1a\n'
JPEG_BEGIN = b'\xff\xd8'
# Start of frame for every kind of compression; DHT, JPG and DAC lie in the same range.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xDA)))


def encoded_size(data: bytes) -> Optional[tuple[int, int]]:
    """Height and width in px of a JPEG or PNG file; None for another kind of file, or if the size is missing."""
    if data.startswith(PNG_BEGIN):
        if len(data) < 24:
            return None
        width, height = struct.unpack_from('>II', data, 16)     # IHDR comes first
        return height, width
    return _jpeg_size(data) if data.startswith(JPEG_BEGIN) else None


def is_image_file(data: bytes) -> bool:
    """Whether this is the beginning of a JPEG or PNG file, and not of pixels that begin alike, as those of a sky may."""
    return data.startswith(PNG_BEGIN) or _is_jpeg(data)


def _is_jpeg(data: bytes) -> bool:
    """Whether one segment follows the other from the first byte on, up to a start of frame that is as long as it should be."""
    place = 2 if data.startswith(JPEG_BEGIN) else len(data)
    while place + 10 <= len(data) and data[place] == 0xFF:
        kind, length = data[place + 1], struct.unpack_from('>H', data, place + 2)[0]
        if kind in JPEG_FRAMES:
            return bool(length == 8 + 3 * data[place + 9])      # three bytes for each component
        if kind == 0xFF:                    # a fill byte
            place += 1
        elif kind < 0xC0 or kind in JPEG_WITHOUT_LENGTH or length < 2:
            return False
        else:
            place += 2 + length
    return False


def _jpeg_size(data: bytes) -> Optional[tuple[int, int]]:
    """Walk the segments (ITU-T T.81, annex B); bytes between two of them are skipped, as decoders do."""
    place = 2
    while (place := data.find(b'\xff', place)) >= 0 and place + 9 <= len(data):
        kind = data[place + 1]
        if kind in JPEG_FRAMES:
            return struct.unpack_from('>HH', data, place + 5)
        if kind in (0x00, 0xFF):            # a stuffed byte, a fill byte
            place += 1
        elif kind in JPEG_WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + struct.unpack_from('>H', data, place + 2)[0]
    return None
