# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class colours that can be told apart with red-green colour blindness, too.

The palettes of data sets often cannot: in deuteranopia, CamVid's building and pedestrian are 6 apart (CIE 1976 L*a*b*), where
about 2 is just noticeable side by side. These colours maximise the smallest distance between any two of them, black for
unlabelled included, as far as a search over a grid of RGB values could: the minimum over normal vision, protanopia and
deuteranopia (simulated as in Machado, Oliveira and Fernandes, IEEE TVCG 2009, severity 1) is 40 for 11 classes and 23 for 19.
"""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from fanet_ros.inference.class_map import ClassMap

# The first eleven were optimised jointly; each further colour is as far as possible from all before it.
CONTRAST_COLORS = (
    (60, 60, 0), (0, 0, 255), (180, 195, 255), (255, 255, 0), (255, 255, 150), (0, 0, 135), (60, 150, 120), (120, 120, 255),
    (165, 135, 0), (45, 90, 135), (255, 255, 240), (120, 195, 120), (45, 75, 75), (0, 30, 90), (240, 195, 60), (60, 150, 165),
    (15, 75, 165), (15, 60, 210), (90, 135, 210), (105, 120, 60))


def with_contrast(class_map: ClassMap) -> ClassMap:
    """Recolour `class_map` with CONTRAST_COLORS, each class with the nearest colour still free; further classes keep their own."""
    free = list(CONTRAST_COLORS[:max(len(class_map), 1)])
    colors = list(class_map.colors)
    for index, color in enumerate(class_map.colors[:len(free)]):
        colors[index] = min(free, key=lambda item: np.linalg.norm(np.subtract(item, color)))
        free.remove(colors[index])
    return replace(class_map, colors=tuple(colors))
