# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data that evaluate refuses."""
from __future__ import annotations

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
