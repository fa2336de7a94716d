# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data that evaluate refuses, and where it writes figures."""
from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.datasets import UNLABELLED
from fanet_ros.tools.evaluate import main


@pytest.mark.filterwarnings('error')
def test_data_without_a_labelled_pixel_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, pixels in (('images', np.zeros((64, 96, 3), np.uint8)), ('labels', np.full((64, 96), UNLABELLED, np.uint8))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / 'a.png'), pixels)
    arguments = ['--data', str(tmp_path), '--device', 'cpu', '--engine', 'torch', '--resolutions', '96x64']
    assert main(arguments) == 1
    assert f'evaluate: no pixel of {tmp_path} is labelled: check its masks' in capsys.readouterr().err


def test_folders_of_the_results_are_made_before_anything_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, pixels in (('images', np.zeros((64, 96, 3), np.uint8)), ('labels', np.zeros((64, 96), np.uint8))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / 'a.png'), pixels)
    arguments = ['--data', str(tmp_path), '--device', 'cpu', '--engine', 'torch', '--resolutions', '96x64', '--json']
    assert main([*arguments, str(tmp_path / 'new' / 'folder' / 'figures.json')]) == 0
    assert json.loads((tmp_path / 'new' / 'folder' / 'figures.json').read_text())[0]['frames'] == 1
    capsys.readouterr()
    assert main([*arguments, str(tmp_path / 'images' / 'a.png' / 'figures.json')]) == 1
    printed = capsys.readouterr()
    assert 'a.png' in printed.err and not printed.out
