# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One image of a whole recording: rows of camera frame, mask, overlay and ground truth or other images, and a legend."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

import cv2
import numpy as np
from PIL import Image

from fanet_ros.bags.recording import SegmentedFrame
from fanet_ros.images.lettering import text_width, write
from fanet_ros.inference import ClassMap, color_labels, draw_overlay
from fanet_ros.visualization.legend import BACKGROUND, FAINT_TEXT, TEXT, legend

MARGIN_PX = 28
GAP_PX = 8
TITLE_HEIGHT_PX = 84
HEADING_HEIGHT_PX = 30
GUTTER_WIDTH_PX = 104
OVERLAY_ALPHA = 0.5


@dataclass(frozen=True)
class SheetRow:
    """One frame and the text next to it; None is omitted. `name`: or time; `agreement` with the ground truth is 0..1."""

    frame: SegmentedFrame
    name: str
    frame_age_ms: Optional[float] = None
    agreement: Optional[float] = None


@dataclass(frozen=True)
class TileRow:
    """Images side by side, and lines of text next to them, the first one larger.

    images: (H, W, 3) uint8 RGB, or (H, W) uint8 labels, which are coloured
    """

    lines: tuple[str, ...]
    images: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class SheetLayout:
    """Positions on the sheet, in px."""

    tile_width: int
    tile_height: int
    columns: int
    rows: int
    gutter_width: int = GUTTER_WIDTH_PX

    @property
    def width(self) -> int:
        return 2 * MARGIN_PX + self.gutter_width + self.columns * (self.tile_width + GAP_PX) - GAP_PX

    @property
    def legend_top(self) -> int:
        return self.tile_origin(self.rows, 0)[1] + MARGIN_PX // 2 - GAP_PX

    def tile_origin(self, row: int, column: int) -> tuple[int, int]:
        """(x, y) of a tile's top left pixel."""
        return (MARGIN_PX + self.gutter_width + column * (self.tile_width + GAP_PX),
                TITLE_HEIGHT_PX + HEADING_HEIGHT_PX + row * (self.tile_height + GAP_PX))


def draw_contact_sheet(rows: Sequence[SheetRow], class_map: ClassMap, title: str, subtitle: str,
                       tile_width: int = 380) -> np.ndarray:
    """Draw the sheet, (H, W, 3) uint8 RGB. It has a column of ground truth if any row has them.

    :param tile_width: px
    :raises ValueError: there are no rows
    """
    headings = ['camera', 'mask', 'overlay']
    if any(row.frame.truth is not None for row in rows):
        headings.append('ground truth')
    palette = class_map.palette()
    return draw_sheet([TileRow(_lines(row), _images(row.frame, palette)) for row in rows], headings, class_map, palette, title,
                      subtitle, tile_width)


def draw_sheet(rows: Sequence[TileRow], headings: Sequence[str], class_map: ClassMap, palette: np.ndarray, title: str,
               subtitle: str, tile_width: int, gutter_width: int = GUTTER_WIDTH_PX) -> np.ndarray:
    """Draw rows of tiles with a heading per column and a legend, (H, W, 3) uint8 RGB.

    :param class_map: classes of the legend
    :param palette: (256, 3) uint8 RGB, colours of labels
    :param tile_width: px; the height is that of the first image
    :param gutter_width: px, for the lines of text
    :raises ValueError: there are no rows
    """
    if not rows:
        raise ValueError('a contact sheet needs at least one segmented frame')
    height, width = rows[0].images[0].shape[:2]
    layout = SheetLayout(tile_width, max(1, round(height * tile_width / width)), len(headings), len(rows), gutter_width)
    strip = legend(class_map, layout.width - 2 * MARGIN_PX, 15)
    sheet = Image.new('RGB', (layout.width, layout.legend_top + strip.height + MARGIN_PX // 2), BACKGROUND)
    write(sheet, MARGIN_PX, 36, title, 24, TEXT, bold=True)
    write(sheet, MARGIN_PX, 66, subtitle, 15, FAINT_TEXT)
    for column, heading in enumerate(headings):
        x, y = layout.tile_origin(0, column)
        write(sheet, x + layout.tile_width // 2, y - HEADING_HEIGHT_PX // 2, heading, 15, TEXT, anchor='mm')
    for number, row in enumerate(rows):
        _write_gutter(sheet, layout, number, row.lines)
        for column, image in enumerate(row.images):
            sheet.paste(Image.fromarray(_tile(image, palette, layout)), layout.tile_origin(number, column))
    sheet.paste(strip, (MARGIN_PX, layout.legend_top))
    return np.asarray(sheet)


def _lines(row: SheetRow) -> tuple[str, ...]:
    lines = [row.name]
    if row.frame_age_ms is not None:
        lines.append(f'{row.frame_age_ms:.0f} ms old')
    if row.agreement is not None and not np.isnan(row.agreement):
        lines.append(f'{row.agreement:.0%} right')
    return tuple(lines)


def _images(frame: SegmentedFrame, palette: np.ndarray) -> tuple[np.ndarray, ...]:
    overlay = frame.overlay
    if overlay is None:
        overlay = draw_overlay(frame.rgb, frame.labels, palette, OVERLAY_ALPHA)
    return (frame.rgb, frame.labels, overlay, *(() if frame.truth is None else (frame.truth,)))


def _write_gutter(sheet: Image.Image, layout: SheetLayout, number: int, lines: Sequence[str]) -> None:
    x, top = layout.tile_origin(number, 0)
    y = top + layout.tile_height // 2 - 11 * (len(lines) - 1)
    for place, text in enumerate(lines):
        size_px, color = (12, FAINT_TEXT) if place else (17, TEXT)
        write(sheet, x - 14, y, _shortened(text, size_px, layout.gutter_width - 14), size_px, color, anchor='rm')
        y += 22


def _shortened(name: str, size_px: int, width_px: int) -> str:
    while text_width(name, size_px) > width_px and len(name) > 1:
        name = name.rstrip('\u2026')[:-1] + '\u2026'
    return name


def _tile(image: np.ndarray, palette: np.ndarray, layout: SheetLayout) -> np.ndarray:
    """Shrink an image to a tile. Labels are resized before colouring, so that no colours between classes appear.

    An image whose aspect ratio differs from the first one's gets margins.
    """
    height, width = image.shape[:2]
    scale = min(layout.tile_width / width, layout.tile_height / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if image.ndim == 2:
        tile = color_labels(cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_NEAREST), palette)
    else:
        tile = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    canvas = np.full((layout.tile_height, layout.tile_width, 3), BACKGROUND, np.uint8)
    top, left = (layout.tile_height - tile.shape[0]) // 2, (layout.tile_width - tile.shape[1]) // 2
    canvas[top:top + tile.shape[0], left:left + tile.shape[1]] = tile
    return canvas
