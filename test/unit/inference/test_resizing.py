# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames reduced in two steps keep their content in place."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from fanet_ros.inference.resizing import resized, whole_factor
from fanet_ros.sources import SyntheticStreet


@pytest.mark.parametrize(('source', 'target', 'factor'), [
    ((720, 1280), (320, 544), 2), ((1080, 1920), (256, 480), 4), ((1080, 1920), (360, 640), 3), ((720, 1280), (128, 224), 5),
    ((376, 1241), (128, 416), 1), ((480, 640), (360, 480), 1), ((96, 128), (96, 128), 1), ((96, 128), (200, 32), 1)])
def test_the_factor_divides_both_sides_and_stays_above_the_target(
        source: tuple[int, int], target: tuple[int, int], factor: int) -> None:
    assert whole_factor(source, target) == factor


@pytest.mark.parametrize('target', [(320, 544), (128, 224), (360, 640), (400, 720), (256, 300)])
def test_close_to_area_averaging(target: tuple[int, int]) -> None:
    rgb = SyntheticStreet(1280, 720, seed=2).frame(3).rgb
    exact = cv2.resize(rgb, target[::-1], interpolation=cv2.INTER_AREA)
    found = resized(rgb, *target)
    assert found.shape == exact.shape and np.abs(found.astype(int) - exact).mean() < 3
    shifted = np.abs(found[:, 1:].astype(int) - exact[:, :-1]).mean()       # by one pixel: far worse
    assert np.abs(found.astype(int) - exact).mean() < shifted / 2


def test_a_frame_of_the_right_size_is_not_copied() -> None:
    rgb = np.zeros((8, 12, 3), np.uint8)
    assert resized(rgb, 8, 12) is rgb
