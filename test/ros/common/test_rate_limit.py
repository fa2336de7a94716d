# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rate limit holds for any camera rate and jitter."""
import random

import pytest

from fanet_ros.ros.common.rate_limit import RateLimit


@pytest.mark.parametrize(('camera_hz', 'max_hz', 'expected'), [
    (30.0, 10.0, 100), (30.0, 7.0, 70), (15.0, 10.0, 100), (10.0, 10.0, 100), (5.0, 10.0, 50), (30.0, 0.0, 300)])
def test_mean_rate_is_the_limit_or_the_camera_rate(camera_hz: float, max_hz: float, expected: int) -> None:
    random.seed(0)
    limit = RateLimit(max_hz)
    times = [number / camera_hz + random.uniform(0, 0.1) / camera_hz for number in range(round(10 * camera_hz))]
    assert sum(map(limit.passes, times)) == pytest.approx(expected, abs=2)


def test_no_burst_after_a_pause() -> None:
    limit = RateLimit(10.0)
    assert limit.passes(0.0) and limit.passes(100.0)
    passed = [time for number in range(30) if limit.passes(time := 100.001 + number / 100)]
    assert len(passed) <= 4


def test_low_rate_from_the_first_frame_on() -> None:
    limit = RateLimit(0.001)
    assert limit.passes(5.0) and not limit.passes(5.1) and not limit.passes(200.0) and limit.passes(1005.0)


def test_another_rate_does_not_wait_for_the_end_of_a_long_period() -> None:
    limit = RateLimit(0.001)
    assert limit.passes(5.0) and not limit.passes(5.1)
    limit.max_hz = 0.001        # set again with other parameters
    assert not limit.passes(5.2)
    limit.max_hz = 10.0
    assert limit.passes(5.3) and not limit.passes(5.301)
