# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Going back to the previous resolution, or to a scale of the ladder that stands by, takes no new engine; anything else does."""
from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from fanet_ros.ros.segmentation.active_model import AnySegmenter
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


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


def rescale(switch: ModelSwitch, scale: float) -> AnySegmenter:
    outcome: Future[tuple[object, ...]] = Future()
    switch.rescale(scale, lambda *values: outcome.set_result(values))
    assert outcome.result(60) == (True, None)
    return switch.loaded.segmenter


def test_the_ladder_goes_back_to_the_previous_resolution(switch: ModelSwitch) -> None:
    first = switch.loaded.segmenter
    assert rescale(switch, 0.5) is not first and switch.loaded.scale == 0.5
    assert rescale(switch, 1.0) is first and switch.loaded.scale == 1.0


def stand_by(switch: ModelSwitch, *scales: float) -> tuple[object, ...]:
    outcome: Future[tuple[object, ...]] = Future()
    switch.stand_by(scales, lambda *values: outcome.set_result(values))
    return outcome.result(60)


def test_with_a_budget_all_scales_stand_by(switch: ModelSwitch, settings: SegmentationSettings) -> None:
    switch.change(replace(settings, latency_budget_ms=50.0, resolution_ladder=(1.0, 0.5, 0.25)))
    first = switch.loaded.segmenter
    assert [stand_by(switch, 0.5, 0.25) for _ in range(3)] == [(None, None)] * 3
    half = rescale(switch, 0.5)
    assert half.input_sizes != first.input_sizes
    quarter = rescale(switch, 0.25)
    assert rescale(switch, 1.0) is first and rescale(switch, 0.5) is half and rescale(switch, 0.25) is quarter
    switch.change(replace(settings, latency_budget_ms=0.0, resolution_ladder=(1.0, 0.5, 0.25)))
    assert rescale(switch, 0.5) is half and rescale(switch, 1.0) is not first       # the last one is kept, as without a budget


def test_what_stands_by_is_taken(switch: ModelSwitch, settings: SegmentationSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    switch.change(replace(settings, latency_budget_ms=50.0))
    stand_by(switch, 0.5)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError('must not be built again')
    monkeypatch.setattr('fanet_ros.ros.segmentation.model_switch.build_segmenter', fail)
    assert stand_by(switch, 0.5, 1.0) == (None, None)
    assert rescale(switch, 0.5).input_sizes and switch.loaded.scale == 0.5
    scale, error = stand_by(switch, 0.75)
    assert scale == 0.75 and str(error) == 'must not be built again'


def test_nothing_is_kept_of_an_unloaded_model(switch: ModelSwitch, settings: SegmentationSettings) -> None:
    first = switch.loaded.segmenter
    at(switch, replace(settings, input_scale=0.5))
    switch.unload()
    switch.load(replace(settings, input_scale=0.5))
    assert at(switch, settings) is not first
