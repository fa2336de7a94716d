# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ladder and the model agree on the scale, whatever changes while a step is being built."""
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from waiting import wait_for

from fanet_ros.ros.segmentation.latency_control import LatencyControl
from fanet_ros.ros.segmentation.latency_ladder import LATE_FRAMES, WINDOW_FRAMES
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

LOW, HIGH = 1.0, 1000.0     # [ms]


@pytest.fixture(name='control')
def control_fixture(switch: ModelSwitch) -> LatencyControl:
    return LatencyControl(switch, lambda _: None)


@pytest.fixture(name='during_a_build')
def during_a_build_fixture(switch: ModelSwitch) -> Callable[[Callable[[], None]], None]:
    """Calls a function while the thread that builds models is held up, and waits until all is built."""
    def run(work: Callable[[], None]) -> None:
        hold = threading.Event()
        switch._builder.submit(hold.wait)
        work()
        hold.set()
        switch._builder.submit(lambda: None).result(60)
    return run


def add(control: LatencyControl, switch: ModelSwitch, latency_ms: float, frames: int) -> None:
    for _ in range(frames):
        control.add(latency_ms, switch.loaded.scale)


@pytest.mark.parametrize('second_ms', [0.0, 20.0])
def test_a_change_of_the_budget_during_a_step(
        switch: ModelSwitch, control: LatencyControl, settings: SegmentationSettings, second_ms: float,
        during_a_build: Callable[[Callable[[], None]], None]) -> None:
    control.configure(replace(settings, latency_budget_ms=10.0))

    def change() -> None:
        add(control, switch, HIGH, LATE_FRAMES)
        control.configure(replace(settings, latency_budget_ms=second_ms))
    during_a_build(change)
    if not second_ms:
        wait_for(lambda: switch.loaded.scale == 1.0)        # the step down, and back
        return
    assert switch.loaded.scale == 0.5
    wait_for(lambda: add(control, switch, LOW, WINDOW_FRAMES) or switch.loaded.scale == 1.0)


def test_frames_of_the_old_resolution_do_not_count(
        switch: ModelSwitch, control: LatencyControl, settings: SegmentationSettings) -> None:
    control.configure(replace(settings, latency_budget_ms=10.0))
    add(control, switch, HIGH, LATE_FRAMES)
    wait_for(lambda: switch.loaded.scale == 0.5)
    for _ in range(10 * WINDOW_FRAMES):
        control.add(LOW, 1.0)
    assert 'latency p95 [ms]' in control.values() and control.values()['resolution steps'] == '1'
    assert switch.loaded.scale == 0.5


def test_while_it_is_kept_the_other_scales_stand_by(
        switch: ModelSwitch, control: LatencyControl, settings: SegmentationSettings) -> None:
    switch.change(replace(settings, latency_budget_ms=10.0))
    control.configure(replace(settings, latency_budget_ms=10.0))
    add(control, switch, 9.0, WINDOW_FRAMES)        # no room for a step up, had it been down
    wait_for(lambda: switch._spares.has(switch.loaded.settings, 0.5, switch.loaded))
