# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the resolution steps down or up, without oscillating."""
from __future__ import annotations

from typing import Callable, Optional

import numpy as np

from fanet_ros.ros.segmentation.latency_ladder import LATE_FRAMES, PATIENCE_WINDOWS, WINDOW_FRAMES, LatencyLadder, Step

SCALES = (1.0, 0.75, 0.5, 0.375)


def run(ladder: LatencyLadder, latency_ms: Callable[[float], float], frames: int) -> list[Step]:
    """The steps taken if each frame has a latency of `latency_ms(scale)`."""
    steps = []
    for _ in range(frames):
        step = ladder.add(latency_ms(ladder.scale))
        if step is not None:
            steps.append(step)
            ladder.moved(step.scale)
    return steps


def first_step(ladder: LatencyLadder, latencies: list[float]) -> Optional[Step]:
    return next((step for step in map(ladder.add, latencies) if step is not None), None)


def test_steps_down_until_within_budget_and_stays() -> None:
    ladder = LatencyLadder(SCALES, 30.0)
    steps = run(ladder, lambda scale: 40.0 * scale, 20 * WINDOW_FRAMES)        # less than with the number of pixels
    assert [step.scale for step in steps] == [0.75]
    assert 'p95 40.0 ms is over the budget of 30 ms' == steps[0].reason
    steps = run(LatencyLadder(SCALES, 30.0), lambda scale: 70.0 * scale, 20 * WINDOW_FRAMES)
    assert [step.scale for step in steps] == [0.5, 0.375]


def test_passes_over_scales_that_cannot_be_enough_but_not_for_single_peaks() -> None:
    assert [step.scale for step in run(LatencyLadder(SCALES, 30.0), lambda scale: 100.0 * scale ** 2, 99)] == [0.5]
    step = first_step(LatencyLadder(SCALES, 30.0), [900.0, 31.0, 900.0])
    assert step is not None and step.scale == 0.75
    step = first_step(LatencyLadder(SCALES, 30.0), [900.0] * 3)
    assert step is not None and step.scale == 0.375


def test_few_late_frames_settle_what_the_whole_window_would() -> None:
    late = [20.0] * 4 + [31.0] * LATE_FRAMES
    step = first_step(LatencyLadder(SCALES, 30.0), late)
    assert step is not None
    assert np.percentile(late + [0.0] * (WINDOW_FRAMES - len(late)), 95) > 30.0
    assert first_step(LatencyLadder(SCALES, 30.0), late[:-1]) is None


def test_no_step_within_budget() -> None:
    assert run(LatencyLadder(SCALES, 30.0), lambda scale: 29.9, 20 * WINDOW_FRAMES) == []


def test_step_needs_several_slow_frames() -> None:
    assert first_step(LatencyLadder(SCALES, 30.0), [99.0] * (LATE_FRAMES - 1)) is None
    assert first_step(LatencyLadder(SCALES, 30.0), [20.0] * (WINDOW_FRAMES - 1) + [999.0]) is None
    assert first_step(LatencyLadder(SCALES, 30.0), [20.0] * (WINDOW_FRAMES - 4) + [999.0] * 4) is not None


def test_steps_up_only_after_patience_and_with_room() -> None:
    ladder = LatencyLadder(SCALES, 30.0, scale=0.5)
    assert run(ladder, lambda scale: 12.0, PATIENCE_WINDOWS * WINDOW_FRAMES - 1) == []      # 12 x 2.25 = 27: no room
    ladder = LatencyLadder(SCALES, 30.0, scale=0.5)
    steps = run(ladder, lambda scale: 10.0 * (scale / 0.5) ** 2, 20 * WINDOW_FRAMES)
    assert [step.scale for step in steps] == [0.75] and 'leaves room' in steps[0].reason    # 22.5, then 40 for 1.0
    ladder = LatencyLadder(SCALES, 30.0, scale=0.5)
    assert run(ladder, lambda scale: 1.0, PATIENCE_WINDOWS * WINDOW_FRAMES - 1) == []
    assert len(run(ladder, lambda scale: 1.0, 1)) == 1


def test_failed_step_up_is_retried_less_and_less_often() -> None:
    ladder = LatencyLadder((1.0, 0.5), 30.0, scale=0.5)
    gaps, since = [], 0
    for _ in range(80 * WINDOW_FRAMES):
        since += 1
        step = ladder.add(5.0 if ladder.scale == 0.5 else 40.0)     # far worse than the pixel count predicts
        if step is not None:
            if step.scale == 1.0:
                gaps.append(since)
            since = 0
            ladder.moved(step.scale)
    assert gaps[:4] == [PATIENCE_WINDOWS * 2 ** turn * WINDOW_FRAMES for turn in range(4)]


def test_failed_resolution_is_skipped() -> None:
    ladder = LatencyLadder(SCALES, 30.0)
    step = first_step(ladder, [31.0] * WINDOW_FRAMES)
    assert step is not None and step.scale == 0.75
    ladder.failed(0.75)
    step = first_step(ladder, [31.0] * WINDOW_FRAMES)
    assert step is not None and step.scale == 0.5


def test_stays_at_the_lowest_resolution_however_slow() -> None:
    assert run(LatencyLadder(SCALES, 30.0, scale=0.375), lambda scale: 500.0, 5 * WINDOW_FRAMES) == []


def test_new_ladder_moves_to_one_of_its_scales() -> None:
    step = LatencyLadder((1.0, 0.6, 0.3), 30.0, scale=0.5).add(1.0)
    assert step is not None and step.scale == 0.3
