# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choice of a candidate for a budget."""
from __future__ import annotations

from typing import Any

import pytest

from fanet_ros.tools.significant import significant
from fanet_ros.tools.tune.candidates import Candidate
from fanet_ros.tools.tune.choice import Budget, choose, pareto, remedy
from fanet_ros.tools.tune.results import Row


def row(height: int, p95_ms: float, quality: float, **more: Any) -> Row:
    candidate = Candidate('small', 'small', 'fanet18', height, 2 * height, 'torch', more.pop('precision', 'float32'))
    return Row(candidate, p50_ms=0.8 * p95_ms, p95_ms=p95_ms, fps=1e3 / p95_ms, mean_iou=quality,
               **{'memory_mib': 100.0, **more})


def budget(latency_ms: float, **more: Any) -> Budget:
    return Budget(latency_ms, 'as requested', **more)


FAST, MIDDLE, SLOW = row(64, 10.0, 0.50), row(128, 20.0, 0.60), row(256, 40.0, 0.70)
BROKEN = Row(FAST.candidate, error='crashed')


def test_the_best_fitting_candidate_is_chosen() -> None:
    assert choose([FAST, SLOW, MIDDLE, BROKEN], budget(30.0)).row is MIDDLE
    assert choose([FAST, SLOW, MIDDLE], budget(40.0)).row is SLOW and choose([SLOW], budget(40.0)).fits


def test_the_faster_of_equal_candidates_is_chosen() -> None:
    almost, worse = row(200, 25.0, 0.6985), row(220, 12.0, 0.6979)
    assert choose([SLOW, almost, worse], budget(50.0)).row is almost


def test_part_of_the_budget_can_be_reserved() -> None:
    kept = budget(45.0, reserve_ms=10.0)
    assert choose([FAST, SLOW, MIDDLE], kept).row is MIDDLE and '10 ms of it' in kept.description


def test_memory_limit_applies_to_gpu_memory_on_a_gpu() -> None:
    large = row(256, 40.0, 0.70, memory_mib=1000.0)
    on_gpu = row(256, 40.0, 0.70, memory_mib=1000.0, gpu_memory_mib=90.0)
    small = budget(50.0, memory_mb=110.0)
    assert choose([large, MIDDLE], small).row is MIDDLE and choose([on_gpu, MIDDLE], small).row is on_gpu
    assert not small.has_room(row(64, 1.0, 0.5, memory_mib=106.0))       # MiB are more than MB


def test_when_nothing_fits_the_fastest_is_chosen_with_suggestions() -> None:
    tight = budget(5.0)
    choice = choose([SLOW, FAST, BROKEN], tight)
    assert choice.row is FAST and not choice.fits
    assert remedy(choice, tight, [SLOW, FAST]) == (
        'smaller --scales, or --precisions float32 int8, or a camera of 100 Hz or less')
    disturbed = choose([row(64, 10.0, 0.5, busy_cores=1.0)], tight)
    assert remedy(disturbed, tight, [FAST]).startswith('--remeasure on a quiet machine, or smaller --scales')
    hungry = row(32, 2.0, 0.4, memory_mib=1000.0)
    choice = choose([SLOW, FAST, hungry], budget(5.0, memory_mb=200.0))
    assert choice.row is FAST       # with memory that fits, though not the fastest
    assert 'more --memory-mb' in remedy(choose([hungry], budget(5.0, memory_mb=9.0)), budget(5.0, memory_mb=9.0), [hungry])
    assert 'int8' not in remedy(choice, tight, [FAST, row(64, 9.0, 0.4, precision='int8')])


def test_without_figures_there_is_no_choice() -> None:
    assert choose([BROKEN], budget(5.0)) is None and choose([], budget(5.0)) is None


def test_pareto_front() -> None:
    beaten, equal = row(100, 30.0, 0.55), row(128, 21.0, 0.6004)
    assert pareto([SLOW, equal, beaten, FAST, BROKEN, MIDDLE]) == (FAST, MIDDLE, SLOW)


@pytest.mark.parametrize(('value', 'shown'), [(1534.2, '1530'), (999.7, '1000'), (54.25, '54.2'), (0.0123, '0.0123'),
                                              (2.5e6, '2500000')])
def test_figures_have_no_exponent(value: float, shown: str) -> None:
    assert significant(value) == shown
