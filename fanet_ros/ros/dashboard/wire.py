# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""WebSocket format: queries are JSON text, answers are JSON followed by image files.

The browser queries and the server answers once, so no frames queue up for a browser that cannot keep up.
"""
from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

LAYERS = ('camera', 'mask', 'confidence')
MAX_QUERY_BYTES = 4096
MAX_TIME_MS = 1e15


@dataclass(frozen=True)
class Query:
    """A browser's query for whatever is newer than what it has of one camera.

    `frame`, `timing` and `status` are the numbers that it has, -1: none. `sent_ms` is the browser's clock at sending, returned
    with the answer.
    """

    camera: str = ''
    layers: tuple[str, ...] = ()
    frame: int = -1
    timing: int = -1
    status: int = -1
    sent_ms: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Query:
        """Parse and validate the JSON text of a query.

        :raises ValueError: invalid query; the message is one line
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError('expected a query in JSON') from None
        if not isinstance(content, dict):
            raise ValueError(f'expected a JSON object, got {type(content).__name__}')
        camera, layers = content.get('camera', ''), content.get('layers', [])
        if not isinstance(camera, str):
            raise ValueError(f'camera: expected a name, got {camera!r:.40}')
        if not isinstance(layers, list) or not all(layer in LAYERS for layer in layers):
            raise ValueError(f'layers: expected some of {", ".join(LAYERS)}, got {layers!r:.40}')
        counts = {name: _whole(content, name) for name in ('frame', 'timing', 'status')}
        sent_ms = content.get('sent_ms', 0.0)
        if not isinstance(sent_ms, (int, float)) or not abs(sent_ms) < MAX_TIME_MS:
            raise ValueError(f'sent_ms: expected a number, got {sent_ms!r:.40}')
        return cls(camera, tuple(layer for layer in LAYERS if layer in layers), sent_ms=sent_ms, **counts)


def _whole(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name, -1)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f'{name}: expected a whole number, got {value!r:.40}')
    return value


@dataclass(frozen=True)
class Blob:
    """One image file: its layer, MIME type and content."""

    layer: str
    mime: str
    content: bytes


def pack(content: Mapping[str, Any], blobs: Sequence[Blob] = ()) -> bytes:
    """Serialise an answer: length of the JSON (uint32, little endian), the JSON with the list `blobs`, then the files in order."""
    listed = [{'layer': blob.layer, 'mime': blob.mime, 'bytes': len(blob.content)} for blob in blobs]
    # JSON has no NaN: callers pass None.
    text = json.dumps({**content, 'blobs': listed}, allow_nan=False, separators=(',', ':')).encode()
    return b''.join([struct.pack('<I', len(text)), text, *(blob.content for blob in blobs)])


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Inverse of pack(): the JSON content, and the files by layer."""
    length, = struct.unpack_from('<I', message)
    content = json.loads(message[4:4 + length])
    files, start = {}, 4 + length
    for blob in content['blobs']:
        files[blob['layer']] = message[start:start + blob['bytes']]
        start += blob['bytes']
    return content, files
