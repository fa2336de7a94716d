# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks as palette PNGs: viewers show the class colours, index readers get the class indices.

An 8-bit grey PNG and one with a palette hold the same pixels; they differ in the colour type of the header and in the palette
itself (PNG specification, 11.2.2 IHDR and 11.2.3 PLTE).
"""
from __future__ import annotations

import struct
import zlib
from typing import Iterator

import numpy as np

from fanet_ros.images.encoded_size import PNG_BEGIN

GREY, PALETTE, COLOR_TYPE_AT = 0, 3, 9


def with_palette(png: bytes, palette: np.ndarray) -> bytes:
    """Add `palette` (256, 3) uint8 RGB to an 8-bit grey PNG."""
    out = [PNG_BEGIN]
    for kind, content in _chunks(png):
        if kind == b'IHDR':
            out += [_chunk(kind, _typed(content, PALETTE)), _chunk(b'PLTE', palette.astype(np.uint8).tobytes())]
        else:
            out.append(_chunk(kind, content))
    return b''.join(out)


def without_palette(png: bytes) -> bytes:
    """Turn an 8-bit palette PNG into a grey one of its indices; any other data is returned unmodified."""
    if not png.startswith(PNG_BEGIN) or png[24:26] != bytes((8, PALETTE)):      # bit depth and colour type of the header
        return png
    try:
        return PNG_BEGIN + b''.join(_chunk(kind, _typed(content, GREY) if kind == b'IHDR' else content)
                                    for kind, content in _chunks(png) if kind not in (b'PLTE', b'tRNS'))
    except struct.error:        # truncated: decoding will report it
        return png


def _typed(header: bytes, color_type: int) -> bytes:
    return header[:COLOR_TYPE_AT] + bytes((color_type,)) + header[COLOR_TYPE_AT + 1:]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG_BEGIN)
    while at < len(png):
        length, kind = struct.unpack_from('>I4s', png, at)
        yield kind, png[at + 8:at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))
