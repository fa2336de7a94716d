# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text in images, in a font that has the letters of other languages, which OpenCV's lack."""
from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]


@cache
def font(size_px: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which ships with matplotlib, so that text looks the same on every machine."""
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    matplotlib = find_spec('matplotlib')        # not imported: a node would wait for it
    folder = Path(matplotlib.origin).parent if matplotlib is not None and matplotlib.origin else Path()
    bundled = folder / 'mpl-data' / 'fonts' / 'ttf' / name
    return ImageFont.truetype(str(bundled) if bundled.is_file() else name, size_px)     # by its name: where distributions put it


def text_width(text: str, size_px: int, bold: bool = False) -> int:
    """Width of `text` in px, as write() writes it."""
    return round(font(size_px, bold).getlength(_one_line(text)))


def write(canvas: Image.Image, x: int, y: int, text: str, size_px: int, color: Color, *,
          bold: bool = False, anchor: str = 'lm') -> None:
    """Write one line at (x, y); anchor as Pillow's: 'lm' left middle, 'mm' centred, 'rm' right middle."""
    ImageDraw.Draw(canvas).text((x, y), _one_line(text), fill=color, font=font(size_px, bold), anchor=anchor)


def _one_line(text: str) -> str:
    """`text` with spaces for line breaks, which names of files may have and Pillow refuses here."""
    return ' '.join(text.splitlines())
