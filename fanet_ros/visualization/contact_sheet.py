# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One image of a whole recording: rows of camera frame, mask, overlay and ground truth, and a legend."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

import cv2
import numpy as np
from PIL import Image

from fanet_ros.bags.recording import SegmentedFrame
from fanet_ros.inference import ClassMap, color_labels, draw_overlay
from fanet_ros.visualization.lettering import BACKGROUND, FAINT_TEXT, TEXT, legend, text_width, write

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
class SheetLayout:
    """Positions on the sheet, in px."""

    tile_width: int
    tile_height: int
    columns: int
    rows: int

    @property
    def width(self) -> int:
        return 2 * MARGIN_PX + GUTTER_WIDTH_PX + self.columns * (self.tile_width + GAP_PX) - GAP_PX

    @property
    def legend_top(self) -> int:
        return self.tile_origin(self.rows, 0)[1] + MARGIN_PX // 2 - GAP_PX

    def tile_origin(self, row: int, column: int) -> tuple[int, int]:
        """(x, y) of a tile's top left pixel."""
        return (MARGIN_PX + GUTTER_WIDTH_PX + column * (self.tile_width + GAP_PX),
                TITLE_HEIGHT_PX + HEADING_HEIGHT_PX + row * (self.tile_height + GAP_PX))


def draw_contact_sheet(rows: Sequence[SheetRow], class_map: ClassMap, title: str, subtitle: str,
                       tile_width: int = 380) -> np.ndarray:
    """Draw the sheet, (H, W, 3) uint8 RGB. It has a column of ground truth if any row has them.

    :param tile_width: px
    :raises ValueError: there are no rows
    """
    if not rows:
        raise ValueError('a contact sheet needs at least one segmented frame')
    headings = ['camera', 'mask', 'overlay']
    if any(row.frame.truth is not None for row in rows):
        headings.append('ground truth')
    height, width = rows[0].frame.labels.shape
    layout = SheetLayout(tile_width, max(1, round(height * tile_width / width)), len(headings), len(rows))
    strip = legend(class_map, layout.width - 2 * MARGIN_PX, 15)
    sheet = Image.new('RGB', (layout.width, layout.legend_top + strip.height + MARGIN_PX // 2), BACKGROUND)
    write(sheet, MARGIN_PX, 36, title, 24, bold=True)
    write(sheet, MARGIN_PX, 66, subtitle, 15, FAINT_TEXT)
    for column, heading in enumerate(headings):
        x, y = layout.tile_origin(0, column)
        write(sheet, x + layout.tile_width // 2, y - HEADING_HEIGHT_PX // 2, heading, 15, anchor='mm')
    for number, row in enumerate(rows):
        _write_gutter(sheet, layout, number, row)
        for column, tile in enumerate(_tiles(row.frame, class_map, layout)):
            sheet.paste(Image.fromarray(tile), layout.tile_origin(number, column))
    sheet.paste(strip, (MARGIN_PX, layout.legend_top))
    return np.asarray(sheet)


def _write_gutter(sheet: Image.Image, layout: SheetLayout, number: int, row: SheetRow) -> None:
    x, top = layout.tile_origin(number, 0)
    lines = [(_shortened(row.name, 17), 17, TEXT)]
    if row.frame_age_ms is not None:
        lines.append((f'{row.frame_age_ms:.0f} ms old', 12, FAINT_TEXT))
    if row.agreement is not None and not np.isnan(row.agreement):
        lines.append((f'{row.agreement:.0%} right', 12, FAINT_TEXT))
    y = top + layout.tile_height // 2 - 11 * (len(lines) - 1)
    for text, size_px, color in lines:
        write(sheet, x - 14, y, text, size_px, color, anchor='rm')
        y += 22


def _shortened(name: str, size_px: int) -> str:
    while text_width(name, size_px) > GUTTER_WIDTH_PX - 14 and len(name) > 1:
        name = name.rstrip('\u2026')[:-1] + '\u2026'
    return name


def _tiles(frame: SegmentedFrame, class_map: ClassMap, layout: SheetLayout) -> list[np.ndarray]:
    """Tiles of one row. Labels are resized before colouring, so that no colours between classes appear."""
    palette = class_map.palette()
    overlay = frame.overlay
    if overlay is None:
        overlay = draw_overlay(frame.rgb, frame.labels, palette, OVERLAY_ALPHA)
    height, width = frame.labels.shape
    scale = min(layout.tile_width / width, layout.tile_height / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))

    def shrink(rgb: np.ndarray) -> np.ndarray:
        return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)

    def shrink_labels(labels: np.ndarray) -> np.ndarray:
        return color_labels(cv2.resize(np.ascontiguousarray(labels), size, interpolation=cv2.INTER_NEAREST), palette)
    tiles = [shrink(frame.rgb), shrink_labels(frame.labels), shrink(overlay)]
    if frame.truth is not None:
        tiles.append(shrink_labels(frame.truth))
    return [_centred(tile, layout) for tile in tiles]


def _centred(tile: np.ndarray, layout: SheetLayout) -> np.ndarray:
    """Add margins to a tile whose aspect ratio differs from the first frame's."""
    canvas = np.full((layout.tile_height, layout.tile_width, 3), BACKGROUND, np.uint8)
    top, left = (layout.tile_height - tile.shape[0]) // 2, (layout.tile_width - tile.shape[1]) // 2
    canvas[top:top + tile.shape[0], left:left + tile.shape[1]] = tile
    return canvas
