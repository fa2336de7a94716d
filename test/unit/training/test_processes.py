# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that train together."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import joint_training
import torch

from fanet_ros.sources import SyntheticStreet
from fanet_ros.training.processes import Processes


def test_two_processes_train_the_weights_of_one(tmp_path: Path) -> None:
    """They differ only in which pixels are the hardest: of a whole batch or of each half."""
    street = SyntheticStreet(128, 96, seed=3)
    for kind in ('images', 'labels'):
        (tmp_path / kind).mkdir()
    for number in range(8):
        frame = street.frame(20 * number)
        cv2.imwrite(str(tmp_path / f'images/{number}.png'), frame.rgb[..., ::-1])
        cv2.imwrite(str(tmp_path / f'labels/{number}.png'), frame.labels)
    subprocess.run([sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2',
                    '--log-dir', str(tmp_path / 'log'), joint_training.__file__,
                    str(tmp_path), str(tmp_path / 'two')], check=True, timeout=200,
                   env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(sys.path)})
    two, same = (torch.load(tmp_path / f'two_{rank}.pt', weights_only=True) for rank in range(2))
    assert torch.equal(two, same)
    one = joint_training.train(tmp_path, tmp_path / 'one', Processes())
    alone = joint_training.train(tmp_path, tmp_path / 'half', Processes(), range(4))        # what one would learn without the other
    assert (two - one).norm() < (alone - one).norm() / 3
    assert (two - one).norm() < one.norm() / 10
