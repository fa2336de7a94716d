# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Going back to the previous resolution takes no new engine; anything else does."""
from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest
from two_classes import STREET

from fanet_ros.ros.segmentation.active_model import AnySegmenter
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


@pytest.fixture(name='switch')
def switch_fixture(settings: SegmentationSettings) -> Iterator[ModelSwitch]:
    switch = ModelSwitch(lambda *_: OutputStyle(STREET), lambda: None, lambda _: None)
    switch.load(settings)
    yield switch
    switch.close()


def at(switch: ModelSwitch, settings: SegmentationSettings) -> AnySegmenter:
    switch.change(settings)
    return switch.loaded.segmenter


def test_the_previous_resolution_is_kept(switch: ModelSwitch, settings: SegmentationSettings) -> None:
    half, quarter = replace(settings, input_scale=0.5), replace(settings, input_scale=0.25)
    first, second = switch.loaded.segmenter, at(switch, half)
    assert at(switch, settings) is first and at(switch, half) is second
    third = at(switch, quarter)
    assert at(switch, half) is second and at(switch, quarter) is third
    assert at(switch, settings) is not first        # only one is kept
    assert switch.loaded.segmenter.input_sizes == first.input_sizes


def test_another_network_is_not_kept(switch: ModelSwitch, settings: SegmentationSettings) -> None:
    first = switch.loaded.segmenter
    at(switch, replace(settings, precision='bfloat16'))
    assert at(switch, settings) is not first


def test_the_previous_resolution_is_for_the_same_frames(switch: ModelSwitch, settings: SegmentationSettings) -> None:
    first, second = switch.loaded.segmenter, at(switch, replace(settings, input_scale=0.5))
    second.prepare(100, 100)
    other = at(switch, settings)
    assert other is not first and other.is_ready_for(100, 100)


def test_the_ladder_goes_back_to_the_previous_resolution(switch: ModelSwitch) -> None:
    first = switch.loaded.segmenter
    for scale in (0.5, 1.0):
        outcome: Future[tuple[object, ...]] = Future()
        switch.rescale(scale, lambda *values, outcome=outcome: outcome.set_result(values))
        assert outcome.result(60) == (True, None)
        assert switch.loaded.scale == scale and (switch.loaded.segmenter is first) == (scale == 1.0)


def test_nothing_is_kept_of_an_unloaded_model(switch: ModelSwitch, settings: SegmentationSettings) -> None:
    first = switch.loaded.segmenter
    at(switch, replace(settings, input_scale=0.5))
    switch.unload()
    switch.load(replace(settings, input_scale=0.5))
    assert at(switch, settings) is not first
