# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which files the command pack takes, and of which age."""
from __future__ import annotations

import os
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from masked_bags import mask, write_masked_bag
from street_bags import write_street_bag

from fanet_ros.tools.pack import command as pack
from fanet_ros.tools.pack.slim import image_copy


def packed(recipe: str) -> list[str]:
    """Names of the files in the only volume of this recipe, packed in the current folder."""
    Path('recipe.yaml').write_text(recipe, encoding='utf-8')
    assert pack.main(['recipe.yaml']) == 0
    path, = Path('packs').iterdir()
    return zipfile.ZipFile(path).namelist()


def test_a_bag_given_by_its_file_is_packed_as_one_given_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bag = write_masked_bag(write_street_bag(tmp_path / 'original', 2), tmp_path / 'drive', [mask()] * 2)
    file, = (path.relative_to(tmp_path) for path in bag.glob('*.mcap'))
    recipe = 'class_map: camvid11\ndata: [{layout: bag, path: %s, camera_topic: /camera/image_raw, class_map: camvid11}]\n'
    assert packed(recipe % file) == [str(file)]
    assert sorted(packed(recipe % 'drive')) == sorted([str(file), 'drive/metadata.yaml'])


def test_images_of_a_robot_without_a_clock_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are of 1970, and the years of a zip file begin with 1980."""
    monkeypatch.chdir(tmp_path)
    for folder, pixels in (('images', np.zeros((8, 8, 3), np.uint8)), ('labels', np.zeros((8, 8), np.uint8))):
        path = tmp_path / 'own' / folder / '1.png'
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), pixels)
        os.utime(path, (60, 60))
    assert packed('data: [{path: own}]\n') == ['own/images/1.png', 'own/labels/1.png']


def test_an_image_that_is_too_long_for_webp_is_not_copied(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'long.png'), np.zeros((4, 20000, 3), np.uint8))
    image_copy(tmp_path / 'long.png', tmp_path / 'slim' / 'long.png', 60)
    assert not (tmp_path / 'slim').exists()
