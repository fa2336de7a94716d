# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A mask stored with a palette is still the same mask."""
from __future__ import annotations

import io
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from fanet_ros.images.decoding import ImageError, to_labels
from fanet_ros.images.png_palette import with_palette, without_palette

LABELS = np.random.default_rng(0).integers(0, 256, (13, 21), np.uint8)
COLORS = np.random.default_rng(1).integers(0, 256, (256, 3), np.uint8)


def test_viewers_show_colours_and_index_readers_get_the_mask() -> None:
    grey = cv2.imencode('.png', LABELS)[1].tobytes()
    colored = with_palette(grey, COLORS)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(colored, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], COLORS[LABELS])
    with Image.open(io.BytesIO(colored)) as image:
        assert image.mode == 'P'
        np.testing.assert_array_equal(np.asarray(image), LABELS)
    assert without_palette(colored) == grey
    message = SimpleNamespace(data=colored, format='rgb8; png compressed bgr8')
    np.testing.assert_array_equal(to_labels(message), LABELS)


def test_data_without_a_palette_is_unchanged() -> None:
    grey = cv2.imencode('.png', LABELS)[1].tobytes()
    for data in (grey, b'', b'no png'):
        assert without_palette(data) == data
    with pytest.raises(ImageError, match='not a readable image'):
        to_labels(SimpleNamespace(data=with_palette(grey, COLORS)[:60], format='png'))
