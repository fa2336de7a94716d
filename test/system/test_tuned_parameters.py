# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed node runs with the parameter file that `tune` writes."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.mark.slow
def test_the_node_runs_with_what_was_tuned(start_executable: Callable[..., Any], client: Any, make_camera: Callable[..., Any],
                                           small_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'tuned'
    tune = start_executable('tune', 'street', '--output', str(folder), '--frames', '2', '--checkpoints',
                            str(small_checkpoint), '--resolutions', '96x64', '--engines', 'torch', '--precisions',
                            'float32', '--device', 'cpu', '--budget-ms', '5000', '--quiet')
    assert tune.wait() == 0, tune.log
    assert f'ros2 launch fanet_ros segmentation.launch.py params_file:={folder}/tuned.param.yaml' in tune.log
    process = start_executable('segmentation_node', '--ros-args', '--params-file', str(folder / 'tuned.param.yaml'))
    camera = make_camera(process)
    street = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    camera.connect(street)
    mask, _ = camera.answer_to(street)
    assert (mask.height, mask.width) == (120, 160)
    assert client.get_parameters(
        '/segmentation', 'checkpoint', 'variant', 'engine', 'precision', 'input_height', 'input_width', 'device',
        'latency_budget_ms') == [str(small_checkpoint), 'auto', 'torch', 'float32', 64, 96, 'cpu', 5000.0]
    assert process.stop() == 0
