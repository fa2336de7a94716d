# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node answers immediately with a temporary engine, and then switches to the fastest one."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from image_helpers import blotches, pixels

from fanet_ros.inference import Segmenter
from fanet_ros.inference.engines.engine_kind import can_import
from fanet_ros.inference.engines.onnx_model import ONNX_PACKAGES

NODE = '/upkeep'


def engines(reports: list[DiagnosticArray]) -> list[str]:
    return [value.value for report in reports for status in report.status for value in status.values if value.key == 'engine']


def test_the_first_mask_does_not_wait_for_the_fastest_engine(
        client: Any, make_camera: Callable[..., Any], start_executable: Callable[..., Any], small_checkpoint: Path,
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    arguments = ('segmentation_node', '--ros-args', '-r', f'__node:={NODE[1:]}', '-r', 'image:=upkeep_image', '-p',
                 f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'diagnostics_period_s:=0.1')
    process = start_executable(*arguments)
    reports = client.collect(DiagnosticArray, '/diagnostics')
    camera = make_camera(process, NODE, '/upkeep_image')
    camera.connect(blotches(0))
    client.wait_for(lambda: 'torch float32, until the fastest one is ready' in engines(reports), 'the temporary engine',
                    process)
    client.wait_for(lambda: 'now segmenting with' in process.log, 'the fastest engine', process)
    assert (tmp_path / 'fanet_ros' / 'fastest_engine.json').is_file()
    reports.clear()
    # One from before may still be on its way.
    client.wait_for(lambda: 'until' not in (engines(reports) or ['until'])[-1], 'diagnostics of the fastest engine', process)
    frame = blotches(1)
    expected = Segmenter.from_checkpoint(small_checkpoint, device='cpu', engine='torch').segment(frame).labels
    mask = pixels(camera.answer_to(frame)[0])
    assert np.mean(mask == expected) > 0.99         # another engine rounds differently
    assert process.log.count('now segmenting with') == 1
    if not all(map(can_import, ONNX_PACKAGES)):
        return
    # The next start knows a network that ONNX Runtime can run before PyTorch is loaded.
    assert process.stop() == 0 and list((tmp_path / 'fanet_ros').glob('first_*.json'))
    process = start_executable(*arguments)
    camera = make_camera(process, NODE, '/upkeep_image')
    camera.connect(frame)
    client.wait_for(lambda: 'onnxruntime float32, until the fastest one is ready' in engines(reports), 'the first answer', process)
    assert 'measuring' not in process.log
    assert np.mean(pixels(camera.answer_to(frame)[0]) == expected) > 0.99
    client.wait_for(lambda: 'now segmenting with' in process.log, 'the fastest engine', process)
    assert np.mean(pixels(camera.answer_to(frame)[0]) == expected) > 0.99
