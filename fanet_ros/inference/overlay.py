# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Visualisation of label masks."""
from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

OUTLINE = (90, 90, 90)


def color_labels(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colour `labels` (H, W) uint8 by `palette` (256, 3) uint8 RGB: (H, W, 3) uint8 RGB."""
    return cv2.applyColorMap(labels, np.ascontiguousarray(palette[:, None, :]))


def draw_overlay(rgb: np.ndarray, labels: np.ndarray, palette: np.ndarray, alpha: float) -> np.ndarray:
    """Blend the colours of `labels` over `rgb` (H, W, 3) uint8, `alpha` 0 (image) .. 1 (colours): (H, W, 3) uint8 RGB."""
    return cv2.addWeighted(rgb, 1.0 - alpha, color_labels(labels, palette), alpha, 0.0)


@lru_cache(maxsize=16)
def draw_legend(names: tuple[str, ...], colors: tuple[tuple[int, int, int], ...], width: int, *,
                row_height: int = 22) -> np.ndarray:
    """Colour and name of every class in rows of at most `width` px: (rows * row_height, width, 3) uint8 RGB on white.

    The array is cached and returned again for the same classes: do not write to it.
    """
    from PIL import Image, ImageDraw  # late: few nodes draw a legend

    from fanet_ros.images.lettering import text_width, write
    margin, text_px = row_height // 4, round(0.6 * row_height)
    box = row_height - 2 * margin
    entries = []
    x = y = 0
    for name, color in zip(names, colors):
        entry_width = 3 * margin + box + text_width(name, text_px) + 2 * margin
        if x and x + entry_width > width:
            x, y = 0, y + row_height
        entries.append((x, y, name, color))
        x += entry_width
    legend = Image.new('RGB', (width, y + row_height), 'white')
    draw = ImageDraw.Draw(legend)
    for x, y, name, color in entries:
        left, top = x + margin, y + margin
        draw.rectangle((left - 1, top - 1, left + box + 1, top + box + 1), color, OUTLINE)      # visible if a class is white
        write(legend, left + box + margin, y + row_height // 2, name, text_px, (0, 0, 0))
    return np.array(legend)
