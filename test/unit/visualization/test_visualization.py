# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contact sheet and video: the right pixels in the right places."""
from __future__ import annotations

from pathlib import Path
from typing import Optional

import cv2
import numpy as np
import pytest
from PIL import Image

from fanet_ros.bags.recording import SegmentedFrame
from fanet_ros.images.lettering import text_width, write
from fanet_ros.inference import ClassMap, draw_overlay
from fanet_ros.ros.demo.report import evenly_spaced
from fanet_ros.visualization.contact_sheet import SheetLayout, SheetRow, draw_contact_sheet
from fanet_ros.visualization.legend import legend
from fanet_ros.visualization.overlay_video import OverlayVideo

CLASSES = ClassMap('two', ('sky', 'road'), ((128, 128, 128), (128, 64, 200)))
TILE_WIDTH = 96


def frame(color: tuple[int, int, int], *, overlay: bool = True, truth: bool = True) -> SegmentedFrame:
    """48x36: upper half class 0, lower half 1; true labels: left half 0, right half unlabelled."""
    rgb = np.full((36, 48, 3), color, np.uint8)
    labels = np.repeat(np.array([0, 1], np.uint8), 18)[:, None].repeat(48, axis=1)
    true_labels = np.repeat(np.array([0, 255], np.uint8), 24)[None].repeat(36, axis=0)
    drawn: Optional[np.ndarray] = np.full_like(rgb, (10, 200, 30)) if overlay else None
    return SegmentedFrame(0, rgb, labels, drawn, true_labels if truth else None)


def tile(sheet: np.ndarray, row: int, column: int, columns: int = 4, rows: int = 2) -> np.ndarray:
    layout = SheetLayout(TILE_WIDTH, 72, columns, rows)
    x, y = layout.tile_origin(row, column)
    assert sheet.shape[1] == layout.width
    return sheet[y:y + 72, x:x + TILE_WIDTH]


def test_contact_sheet_shows_every_image_in_its_place() -> None:
    rows = [SheetRow(frame((250, 20, 60)), '0.50 s', 80.0, 0.5), SheetRow(frame((5, 90, 170), overlay=False), '1.50 s')]
    sheet = draw_contact_sheet(rows, CLASSES, 'title', 'subtitle', TILE_WIDTH)
    for number, color in enumerate([(250, 20, 60), (5, 90, 170)]):
        assert (tile(sheet, number, 0) == color).all()
        assert (tile(sheet, number, 1)[:36] == (128, 128, 128)).all()
        assert (tile(sheet, number, 1)[36:] == (128, 64, 200)).all()
        assert (tile(sheet, number, 3)[:, :48] == (128, 128, 128)).all()
        assert (tile(sheet, number, 3)[:, 48:] == (0, 0, 0)).all()
    assert (tile(sheet, 0, 2) == (10, 200, 30)).all()
    drawn = draw_overlay(rows[1].frame.rgb, rows[1].frame.labels, CLASSES.palette(), 0.5)
    assert (tile(sheet, 1, 2)[10, 10] == drawn[2, 2]).all()    # the frame has no overlay: drawn here


def test_contact_sheet_without_true_labels_has_three_columns() -> None:
    rows = [SheetRow(frame((1, 2, 3), truth=False), '0.00 s')]
    sheet = draw_contact_sheet(rows, CLASSES, 'title', 'subtitle', TILE_WIDTH)
    assert (tile(sheet, 0, 0, columns=3, rows=1) == (1, 2, 3)).all()


def test_a_sheet_needs_frames() -> None:
    with pytest.raises(ValueError, match='at least one'):
        draw_contact_sheet([], CLASSES, 'title', 'subtitle')


def test_legend_shows_every_colour_at_any_width() -> None:
    for width in (120, 1000):
        strip = np.asarray(legend(CLASSES, width, 15))
        assert strip.shape[1] == width
        for color in CLASSES.colors:
            assert (strip == color).all(axis=2).sum() >= 15 * 15


def test_video_plays_back(tmp_path: Path) -> None:
    path = tmp_path / 'out.mp4'
    with OverlayVideo(path, CLASSES, fps=8.0) as video:
        for number in range(5):
            video.add(frame((40 * number, 100, 200), truth=False))
    assert video.frames == 5
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(8.0)
    shown = []
    while True:
        read, bgr = capture.read()
        if not read:
            break
        shown.append(bgr[..., ::-1])
    assert len(shown) == 5 and shown[0].shape[1] == 96
    for number, image in enumerate(shown):
        np.testing.assert_allclose(image[18, 24], (40 * number, 100, 200), atol=12)    # the codec is lossy
        np.testing.assert_allclose(image[18, 72], (10, 200, 30), atol=12)


def test_evenly_spaced() -> None:
    assert evenly_spaced(list(range(100)), 4) == [12, 37, 62, 87]
    assert evenly_spaced([1, 2, 3], 7) == [1, 2, 3]
    assert len(set(evenly_spaced(list(range(8)), 7))) == 7


@pytest.mark.parametrize('text', ['', 'a\nb', 'a\r\nb', 'a\rb', '\n', 'no\udcffname'])
def test_any_name_of_a_file_can_be_written(text: str) -> None:
    canvas = Image.new('RGB', (100, 30), 'white')
    write(canvas, 0, 15, text, 15, (0, 0, 0))
    assert 0 <= text_width(text, 15) < 100 and (np.array(canvas) < 255).any() == bool(text.strip())
