# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes .mp4 files: with PyAV, for browsers (H.264, or VP9 if its FFmpeg lacks that); without it, with OpenCV."""
from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Optional, Protocol

import cv2
import numpy as np

# PyAV's names, with options that keep up with a camera on two cores.
CODECS = (('libx264', {'preset': 'veryfast', 'crf': '23'}),
          ('libvpx-vp9', {'deadline': 'realtime', 'cpu-used': '8', 'row-mt': '1', 'crf': '33', 'b': '0'}))
# MPEG-4 part 2: every OpenCV build can write it, players show it, browsers do not.
OPENCV_CODEC = 'mp4v'


class VideoWriter(Protocol):
    """Takes (height, width, 3) uint8 RGB frames of one size, even in both directions, until it is closed."""

    def write(self, rgb: np.ndarray) -> None: ...

    def close(self) -> None: ...


def open_video(path: Path, width: int, height: int, fps: float) -> VideoWriter:
    """Open a new video for writing.

    :raises ValueError: no installed encoder can write it
    """
    return _AvWriter.open(path, width, height, fps) or _OpenCvWriter(path, width, height, fps)


class _AvWriter:
    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream

    @classmethod
    def open(cls, path: Path, width: int, height: int, fps: float) -> Optional[_AvWriter]:
        """None if PyAV or both encoders are missing."""
        try:
            import av
        except ImportError:
            return None
        for codec, options in CODECS:
            if codec not in av.codecs_available:
                continue
            container: Any = av.open(str(path), 'w', options={'movflags': 'faststart'})
            stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
            return cls(container, stream)
        return None

    def write(self, rgb: np.ndarray) -> None:
        import av
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format='rgb24')))

    def close(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()


class _OpenCvWriter:
    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*OPENCV_CODEC), fps, (width, height))
        if not self._writer.isOpened():
            raise ValueError(f'OpenCV cannot write {path} with codec {OPENCV_CODEC} at {width}x{height}: pip install av')

    def write(self, rgb: np.ndarray) -> None:
        self._writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()
