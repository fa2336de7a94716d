# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which images the command soft_labels predicts, for bags and for the clips of a video network."""
from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from masked_bags import mask, write_masked_bag
from street_bags import write_street_bag

from fanet_ros.tools.soft_labels import command as soft_labels


def recipe(path: Path, *, data: str, temporal_frames: int = 1) -> list[str]:
    path.write_text(f'class_map: camvid11\ntemporal_frames: {temporal_frames}\ndata: [{data}]\n')
    return [str(path), '--teacher', 'fanet18_camvid', '--device', 'cpu', '--scales', '1']


def test_bags_with_equal_stamps_cannot_share_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Simulated time starts anew in each."""
    original = write_street_bag(tmp_path / 'original', 2)
    for name in ('one', 'two'):
        write_masked_bag(original, tmp_path / name, [mask()] * 2)
    common = f'layout: bag, camera_topic: /camera/image_raw, class_map: camvid11, soft_labels: {tmp_path / "soft.npz"}'
    data = ', '.join(f'{{path: {tmp_path / name}, {common}}}' for name in ('one', 'two', 'one'))
    assert soft_labels.main(recipe(tmp_path / 'recipe.yaml', data=data)) == 1
    assert 'soft.npz is for data sets that both have an image 100.' in capsys.readouterr().err
    assert soft_labels.main(recipe(tmp_path / 'recipe.yaml', data=data.replace('/two', '/one'))) == 0
    assert len(zipfile.ZipFile(tmp_path / 'soft.npz').namelist()) == 3


def test_frames_before_an_image_in_its_clip_get_soft_labels_too(tmp_path: Path) -> None:
    data = f'{{layout: street, seeds: [100, 101], frames: [1, 4, 5], size: [64, 96], soft_labels: {tmp_path / "soft.npz"}}}'
    assert soft_labels.main(recipe(tmp_path / 'recipe.yaml', data=data, temporal_frames=3)) == 0
    names = {Path(name).stem for name in zipfile.ZipFile(tmp_path / 'soft.npz').namelist()}
    assert names == {'class_names', *(f'street100_{number}' for number in range(1, 6))}     # there are too few before frame 1
