# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class legends, and the colours shared by contact sheets and videos."""
from __future__ import annotations

from PIL import Image, ImageDraw

from fanet_ros.images.lettering import Color, text_width, write
from fanet_ros.inference import ClassMap

BACKGROUND: Color = (18, 20, 25)
TEXT: Color = (233, 236, 241)
FAINT_TEXT: Color = (150, 157, 170)


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
            write(strip, x + chip + gap, middle, name, size_px, TEXT)
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
