# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""int8 is only chosen where it labels the user's frames as float32 does; the choice is remembered."""
from __future__ import annotations

import logging
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
import torch

from fanet_ros.inference.engines import CheckedFactory, EngineError, EngineFactory
from fanet_ros.inference.engines.checked_precision import agreement
from fanet_ros.inference.engines.onnx_engine import OnnxEngine
from fanet_ros.inference.engines.openvino_engine import OpenVinoEngine
from fanet_ros.model import FANet

CPU = torch.device('cpu')
HEIGHT, WIDTH = 64, 96
pytestmark = pytest.mark.skipif(not OnnxEngine.is_available(), reason='onnx and onnxruntime are not installed')


@pytest.fixture(autouse=True)
def cache_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    caplog.set_level(logging.INFO, logger='fanet_ros')


def network(favourite: float) -> FANet:
    """An untrained network whose last layer prefers class 0 by `favourite`."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        made = FANet(7, 'resnet18', 'paper', class_bias=True).train()
        for _ in range(3):
            made(torch.randn(4, 3, HEIGHT, WIDTH))
        bias = made.clslayer.conv_out.bias
        assert bias is not None
        bias[0] += favourite
        return made.eval()


def frames(count: int, height: int, width: int) -> Iterator[np.ndarray]:
    noise = np.random.default_rng(1)
    return (noise.standard_normal((1, 3, height, width), np.float32) for _ in range(count))


def factory(favourite: float, count: int = 20) -> CheckedFactory:
    full = EngineFactory(network(favourite), CPU, 'onnxruntime')
    return CheckedFactory(full, 'onnxruntime', lambda height, width: frames(count, height, width))


def test_other_labels_rule_int8_out(caplog: pytest.LogCaptureFixture) -> None:
    checked = factory(0.0)
    assert checked.build(HEIGHT, WIDTH).precision == 'float32'
    assert 'precision float32: int8 gives' in caplog.text
    assert 'of the pixels of 10 of your frames the same label, 99.5% are required' in caplog.text
    caplog.clear()
    assert checked.build(HEIGHT, WIDTH).precision == 'float32' and 'int8 gives' not in caplog.text      # remembered


def test_equal_labels_leave_the_choice_to_speed(caplog: pytest.LogCaptureFixture) -> None:
    chosen = factory(1e3).build(HEIGHT, WIDTH)
    assert 'int8 gives 100.00% of the pixels of 10 of your frames the same label\n' in caplog.text
    assert f'precision {chosen.precision}: ' in caplog.text and chosen.name == 'onnxruntime'


def test_what_is_ready_first_is_float32_for_the_time_being() -> None:
    engine = factory(1e3).build(HEIGHT, WIDTH, quick=True)
    assert engine.precision == 'float32' and engine.is_provisional
    assert not factory(1e3).build(HEIGHT, WIDTH).is_provisional


@pytest.mark.skipif(not OpenVinoEngine.is_available(), reason='openvino is not installed')
@pytest.mark.parametrize('is_checked', [True, False])
def test_frames_are_decoded_once_for_all_engines(is_checked: bool) -> None:
    decoded = []

    def source(height: int, width: int) -> Iterator[np.ndarray]:
        decoded.append((height, width))
        return frames(20, height, width)
    if is_checked:
        checked = CheckedFactory(EngineFactory(network(1e3), CPU, 'onnxruntime'), 'auto', source)
    else:
        checked = EngineFactory(network(1e3), CPU, 'auto', 'int8', source)
    checked.build(HEIGHT, WIDTH)
    assert decoded == [(HEIGHT, WIDTH)]
    checked.build(HEIGHT, WIDTH)            # they were not kept: they take gigabytes
    assert decoded == 2 * [(HEIGHT, WIDTH)]


def test_too_few_frames_leave_it_at_float32(caplog: pytest.LogCaptureFixture) -> None:
    assert factory(1e3, count=14).build(HEIGHT, WIDTH).precision == 'float32'
    assert 'precision stays float32: int8 needs at least 8 frames from your camera to calibrate on, got 7' in caplog.text


def test_an_engine_without_int8_is_an_error() -> None:
    with pytest.raises(EngineError, match='engine torch runs in'):
        CheckedFactory(EngineFactory(network(0.0), CPU, 'torch'), 'torch', lambda height, width: frames(20, height, width))


def test_agreement_is_the_share_of_equal_labels() -> None:
    first, again, other = (EngineFactory(network(favourite), CPU, 'torch').build(HEIGHT, WIDTH) for favourite in (0.0, 0.0, 1e3))
    images = [torch.from_numpy(frame) for frame in frames(3, HEIGHT, WIDTH)]
    labels = [torch.nn.functional.interpolate(first(image), (HEIGHT, WIDTH), mode='bilinear', align_corners=True).argmax(1)
              for image in images]
    assert agreement(first, again, images) == 1.0
    assert agreement(first, other, images) == pytest.approx(float(np.mean([(item == 0).float().mean() for item in labels])))
