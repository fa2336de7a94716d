# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's video: playable in browsers with PyAV, written by OpenCV without it."""
from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.visualization.video_writer import open_video

WIDTH, HEIGHT, FRAMES = 64, 48, 5
COLORS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 40], [128, 128, 128]], np.uint8)


def write(path: Path) -> Path:
    writer = open_video(path, WIDTH, HEIGHT, 9.73)
    for color in COLORS:
        writer.write(np.full((HEIGHT, WIDTH, 3), color, np.uint8))
    writer.close()
    return path


def test_with_pyav_browsers_can_play_it(tmp_path: Path) -> None:
    av = pytest.importorskip('av')
    with av.open(str(write(tmp_path / 'video.mp4'))) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name in ('h264', 'vp9', 'libvpx-vp9') and stream.codec_context.pix_fmt == 'yuv420p'
        assert float(stream.average_rate) == pytest.approx(9.73, abs=0.01)
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert len(frames) == FRAMES
    for frame, color in zip(frames, COLORS):
        assert frame.shape == (HEIGHT, WIDTH, 3)
        np.testing.assert_allclose(frame.mean((0, 1)), color, atol=12)


def test_without_pyav_opencv_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'av', None)
    video = cv2.VideoCapture(str(write(tmp_path / 'video.mp4')))
    for color in COLORS:
        found, frame = video.read()
        assert found
        np.testing.assert_allclose(frame[..., ::-1].mean((0, 1)), color, atol=12)
    assert not video.read()[0]
