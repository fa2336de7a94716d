# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""16-bit image files of one camera: every one is converted with the same depth, whichever are read."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.images.files import read_bgr
from fanet_ros.images.folder_bit_depth import SAMPLED, FolderBitDepth

DIM, BRIGHT, BRIGHTEST = 800, 4000, 16000       # 10, 12 and 14 bits


def written(folder: Path, values: list[int]) -> list[Path]:
    paths = [folder / f'{number:03d}.png' for number in range(len(values))]
    for path, value in zip(paths, values):
        assert cv2.imwrite(str(path), np.full((2, 3), value, np.uint16))
    return paths


def brightness(path: Path, bit_depth: FolderBitDepth) -> int:
    bgr = read_bgr(path, bit_depth)
    assert bgr is not None and bgr.dtype == np.uint8 and bgr.shape == (2, 3, 3)
    return int(bgr.max())


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1,)])
def test_an_image_looks_the_same_in_whatever_order_they_are_read(tmp_path: Path, order: tuple[int, ...]) -> None:
    paths = written(tmp_path, [DIM, DIM, BRIGHT])
    bit_depth = FolderBitDepth(paths)
    expected = DIM >> 4, DIM >> 4, BRIGHT >> 4
    assert [brightness(paths[place], bit_depth) for place in order] == [expected[place] for place in order]


def test_an_image_with_more_bits_than_the_sampled_ones_is_not_white_and_changes_no_other(tmp_path: Path) -> None:
    values = [BRIGHT] * 10 * SAMPLED
    values[1] = BRIGHTEST       # not among the evenly spaced ones
    paths = written(tmp_path, values)
    bit_depth = FolderBitDepth(paths)
    assert [brightness(path, bit_depth) for path in paths[:3]] == [BRIGHT >> 4, BRIGHTEST >> 6, BRIGHT >> 4]


def test_unreadable_and_8_bit_files_among_them_are_left_out(tmp_path: Path) -> None:
    paths = written(tmp_path, [DIM, BRIGHT, DIM])
    paths[0].write_bytes(b'no image')
    cv2.imwrite(str(paths[2]), np.full((2, 3), 77, np.uint8))
    bit_depth = FolderBitDepth([*paths, tmp_path / 'missing.png'])
    assert [brightness(path, bit_depth) for path in paths[1:]] == [BRIGHT >> 4, 77]
