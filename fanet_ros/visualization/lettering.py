# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text and class legends, in the colours shared by all images that this package draws."""
from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from fanet_ros.inference import ClassMap

Color = tuple[int, int, int]

BACKGROUND: Color = (18, 20, 25)
TEXT: Color = (233, 236, 241)
FAINT_TEXT: Color = (150, 157, 170)
GOOD: Color = (126, 211, 133)


@cache
def font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which ships with matplotlib, so that text looks the same on every machine."""
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    bundled = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / name
    return ImageFont.truetype(str(bundled) if bundled.is_file() else name, size_px)


def text_width(text: str, size_px: int, bold: bool = False) -> int:
    """Width of `text` in px."""
    return round(font(size_px, bold).getlength(text))


def write(canvas: Image.Image, x: int, y: int, text: str, size_px: int, color: Color = TEXT, *,
          bold: bool = False, anchor: str = 'lm') -> None:
    """Write at (x, y); anchor as Pillow's: 'lm' left middle, 'mm' centred, 'rm' right middle."""
    ImageDraw.Draw(canvas).text((x, y), text, fill=color, font=font(size_px, bold), anchor=anchor)


def legend(class_map: ClassMap, width: int, size_px: int) -> Image.Image:
    """A strip `width` px wide: one colour chip and name per class, in as many centred rows as needed."""
    chip, gap = round(size_px * 1.3), round(size_px * 0.5)
    cells = [
        (name, color, chip + gap + text_width(name, size_px) + 3 * gap)
        for name, color in zip(class_map.names, class_map.colors)]
    rows = _wrap(cells, width)
    row_height = round(size_px * 2.0)
    strip = Image.new('RGB', (width, row_height * len(rows)), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for number, row in enumerate(rows):
        x = (width - sum(cell_width for *_, cell_width in row) + 3 * gap) // 2
        middle = row_height * number + row_height // 2
        for name, color, cell_width in row:
            top = middle - chip // 2
            draw.rectangle((x, top, x + chip - 1, top + chip - 1), fill=color)
            write(strip, x + chip + gap, middle, name, size_px)
            x += cell_width
    return strip


def _wrap(cells: list[tuple[str, Color, int]], width: int) -> list[list[tuple[str, Color, int]]]:
    """Distribute cells evenly over as few rows as possible."""
    for count in range(1, len(cells) + 1):
        per_row = -(-len(cells) // count)
        rows = [cells[start:start + per_row] for start in range(0, len(cells), per_row)]
        if all(sum(cell_width for *_, cell_width in row) <= width for row in rows):
            break
    return rows
