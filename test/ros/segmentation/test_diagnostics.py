# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts, rates, percentiles and diagnosis over a sliding window."""
from __future__ import annotations

import threading

import pytest

from fanet_ros.ros.segmentation.diagnostics import (
    DOUBTFUL,
    ERROR,
    LATE,
    MIN_FRAMES_FOR_RATE,
    OK,
    REJECTING,
    RUNNING,
    SILENT,
    SLOW,
    UNSTAMPED,
    WAITING,
    WARN,
    WINDOW_S,
    FrameStatistics,
    FrameTimes,
    Status,
    Thresholds,
)
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

START_S = 1000.0
STAGES = ('frame age', 'wait', 'convert', 'preprocess', 'network', 'postprocess', 'publish', 'overlay', 'total')


def times(network_ms: float = 20.0, total_ms: float = 9.0) -> FrameTimes:
    return FrameTimes(1.0, 2.0, 3.0, 4.0, network_ms, 6.0, 7.0, 8.0, total_ms)


def ran(frames: int, rate_hz: float, start_s: float = START_S, share: float = 1.0) -> FrameStatistics:
    """Statistics after `frames` at `rate_hz`, of which an evenly spread `share` was segmented."""
    statistics = FrameStatistics(start_s)
    for index in range(frames):
        now_s = start_s + (index + 1) / rate_hz
        statistics.frame_received(now_s)
        if int((index + 1) * share) > int(index * share):
            statistics.frame_segmented(now_s, times())
    return statistics


def thresholds(**changes: float) -> Thresholds:
    """Thresholds of a node with these parameters."""
    return SegmentationSettings(**changes).thresholds


def status(statistics: FrameStatistics, now_s: float, dropped: int = 0, no_image_warning_s: float = 5.0) -> Status:
    return statistics.status(now_s, dropped, thresholds(no_image_warning_s=no_image_warning_s))


def test_steady_camera() -> None:
    report = status(ran(200, 10.0), START_S + 20.0, dropped=3)
    assert (report.level, report.kind) == (OK, RUNNING)
    assert (report.values['frames received'], report.values['frames segmented']) == ('200', '200')
    assert (report.values['frames dropped'], report.values['frames rejected']) == ('3', '0')
    assert float(report.values['rate [Hz]']) == pytest.approx(10.0, abs=0.2)
    assert float(report.values['camera rate [Hz]']) == pytest.approx(10.0, abs=0.2)
    assert report.message.endswith('frames/s')


def test_rate_before_the_window_is_full() -> None:
    assert float(status(ran(20, 10.0), START_S + 2.0).values['rate [Hz]']) == pytest.approx(10.0)


def test_rates_cover_the_window_and_counts_everything() -> None:
    statistics = ran(50, 10.0)                                      # ends 5 s after the start
    late_s = START_S + 5.0 + WINDOW_S - 1.0                         # the last second is still in the window
    report = status(statistics, late_s, no_image_warning_s=100.0)
    assert float(report.values['rate [Hz]']) == pytest.approx(1.0, abs=0.11)
    assert report.values['frames segmented'] == '50'
    report = status(statistics, START_S + 5.0 + WINDOW_S + 0.1, no_image_warning_s=100.0)
    assert report.values['rate [Hz]'] == '0.00' and (report.level, report.kind) == (OK, WAITING)
    assert not any('p50' in key for key in report.values) and report.values['frames segmented'] == '50'


def test_percentiles_of_every_stage() -> None:
    statistics = FrameStatistics(START_S)
    for index in range(101):
        statistics.frame_segmented(START_S + index / 100, times(network_ms=float(index)))
    values = status(statistics, START_S + 1.0).values
    assert values['network p50/p95/p99 [ms]'] == '50.00/95.00/99.00'
    assert values['frame age p50/p95/p99 [ms]'] == '1.00/1.00/1.00'
    assert [key for key in values if 'p50' in key] == [f'{stage} p50/p95/p99 [ms]' for stage in STAGES]


def test_waiting_then_silent() -> None:
    statistics = FrameStatistics(START_S)
    report = status(statistics, START_S + 4.9)
    assert (report.level, report.kind, report.message) == (OK, WAITING, 'waiting for images')
    report = status(statistics, START_S + 5.1)
    assert (report.level, report.kind, report.message) == (WARN, SILENT, 'no image for 5.1 s')
    statistics.frame_received(START_S + 6.0)
    assert status(statistics, START_S + 6.1).kind == WAITING        # received, not yet segmented


def test_silence_is_an_error_beyond_no_image_error_s() -> None:
    statistics = FrameStatistics(START_S)
    limits = thresholds(no_image_warning_s=1.0, no_image_error_s=3.0)
    assert statistics.status(START_S + 2.0, 0, limits).level == WARN
    report = statistics.status(START_S + 4.0, 0, limits)
    assert (report.level, report.kind) == (ERROR, SILENT)


@pytest.mark.parametrize(('limits', 'level', 'kind'), [
    (thresholds(), OK, RUNNING),
    (thresholds(latency_warning_ms=39.0), WARN, LATE),
    (thresholds(latency_warning_ms=41.0), OK, RUNNING),
    (thresholds(latency_warning_ms=20.0, latency_error_ms=39.0), ERROR, LATE)])
def test_late_if_the_p95_exceeds_the_limit(limits: Thresholds, level: int, kind: str) -> None:
    statistics = FrameStatistics(START_S)
    for index in range(100):
        statistics.frame_received(START_S + index / 20)
        statistics.frame_segmented(START_S + index / 20, times(total_ms=40.0 if index >= 90 else 10.0))
    report = statistics.status(START_S + 5.0, 0, limits)
    assert (report.level, report.kind) == (level, kind)
    assert ('lower input_scale, or set latency_budget_ms' in report.message and '40 ms' in report.message) == (kind == LATE)


def test_slow_if_less_than_half_of_the_frames_are_segmented() -> None:
    report = status(ran(100, 20.0, share=0.25), START_S + 5.0)
    assert (report.level, report.kind) == (WARN, SLOW)
    assert 'segmenting 5.0 of 20.0 frames/s' in report.message and 'input_scale' in report.message
    assert status(ran(100, 20.0, share=0.75), START_S + 5.0).kind == RUNNING
    few = ran(MIN_FRAMES_FOR_RATE - 1, 20.0, share=0.25)
    assert status(few, START_S + 0.5).kind == RUNNING               # too few frames for a rate


def test_frames_missed_by_the_middleware_count_as_received() -> None:
    statistics = FrameStatistics(START_S)
    for index in range(10):
        statistics.frame_received(START_S + index, missed=3)
        statistics.frame_segmented(START_S + index, times())
    report = status(statistics, START_S + 10.0)
    assert (statistics.received, statistics.missed, statistics.segmented) == (40, 30, 10)
    assert report.kind == SLOW and report.values['camera rate [Hz]'] == '4.00'


def test_rejections_are_counted_by_kind_and_the_latest_is_reported() -> None:
    statistics = ran(20, 10.0)
    statistics.frame_rejected(START_S + 2.0, 'empty image', 'image of 0x0')
    statistics.frame_rejected(START_S + 2.1, 'odd size', 'image of 3x3')
    statistics.frame_rejected(START_S + 2.2, 'empty image', 'image of 0x9')
    report = status(statistics, START_S + 2.3)
    assert (report.level, report.kind) == (WARN, REJECTING)
    assert report.message == '3 frames rejected in 10 s, most recently: image of 0x9'
    assert {key: value for key, value in report.values.items() if 'rejected' in key} == {
        'frames rejected': '3', 'frames rejected: empty image': '2', 'frames rejected: odd size': '1'}


def test_an_error_outweighs_later_warnings_until_it_leaves_the_window() -> None:
    statistics = ran(20, 10.0)
    statistics.frame_rejected(START_S + 2.0, 'segmentation failed', 'RuntimeError: out of memory', ERROR)
    statistics.frame_rejected(START_S + 4.0, 'odd size', 'image of 3x3')
    report = status(statistics, START_S + 4.0)
    assert report.level == ERROR and report.message.endswith('most recently: RuntimeError: out of memory')
    report = status(statistics, START_S + 2.1 + WINDOW_S)
    assert report.level == WARN and report.message.endswith('most recently: image of 3x3')
    report = status(statistics, START_S + 4.1 + WINDOW_S)
    assert report.kind == SILENT and report.values['frames rejected'] == '2'


def test_single_rejected_frame_is_reported_in_the_singular() -> None:
    statistics = FrameStatistics(START_S)
    statistics.frame_rejected(START_S, 'odd size', 'image of 3x3')
    assert status(statistics, START_S).message.startswith('1 frame rejected')


def test_clock_jump_back_clears_the_window_and_keeps_the_counts() -> None:
    statistics = ran(100, 10.0)
    statistics.frame_rejected(START_S + 10.0, 'odd size', 'image of 3x3')
    report = status(statistics, 5.0)        # a bag restarted
    assert (report.kind, report.values['rate [Hz]']) == (WAITING, '0.00')
    assert (report.values['frames segmented'], report.values['frames rejected']) == ('100', '1')
    assert status(statistics, 10.5).kind == SILENT      # counted from the jump
    for index in range(20):
        statistics.frame_received(11.0 + index / 10)
        statistics.frame_segmented(11.0 + index / 10, times())
    report = status(statistics, 13.0)
    assert report.kind == RUNNING and float(report.values['rate [Hz]']) == pytest.approx(20 / 8.0, abs=0.01)


def test_small_clock_correction_keeps_the_window() -> None:
    statistics = ran(100, 10.0)
    assert float(status(statistics, START_S + 9.5).values['rate [Hz]']) > 9


def test_simulated_time_that_has_not_started_is_not_silence() -> None:
    statistics = FrameStatistics(0.0)
    assert status(statistics, 0.0).kind == WAITING
    report = status(statistics, 1.7e9)      # starts at an arbitrary time
    assert report.kind == WAITING
    statistics.frame_received(1.7e9 + 1)
    statistics.frame_segmented(1.7e9 + 1, times())
    assert status(statistics, 1.7e9 + 2).values['rate [Hz]'] == '0.50'


def test_counts_from_several_threads() -> None:
    statistics = FrameStatistics(START_S)

    def receive() -> None:
        for _ in range(2000):
            statistics.frame_received(START_S, missed=1)

    def work() -> None:
        for _ in range(2000):
            statistics.frame_segmented(START_S, times())
            statistics.frame_rejected(START_S, 'odd size', '')
    threads = [threading.Thread(target=target) for target in (receive, receive, work, work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statistics.received, statistics.missed, statistics.segmented) == (8000, 4000, 4000)
    assert statistics.rejected == {'odd size': 4000}


def test_doubtful_pixels_are_reported_and_warned_about() -> None:
    statistics = FrameStatistics(START_S)
    for number, share in enumerate((0.1, 0.3)):
        statistics.frame_received(START_S + number)
        statistics.frame_segmented(START_S + number, times(), share)
    for threshold, expected in ((0.0, (OK, RUNNING)), (0.3, (OK, RUNNING)), (0.15, (WARN, DOUBTFUL))):
        report = statistics.status(START_S + 1.5, 0, thresholds(doubtful_warning_share=threshold))
        assert (report.level, report.kind) == expected and report.values['doubtful pixels [%]'] == '20.0'
    assert not any('doubtful' in key for key in status(ran(20, 10.0), START_S + 2.0).values)


def test_images_without_stamp_have_no_age_and_cause_a_warning() -> None:
    statistics = FrameStatistics(START_S)
    statistics.frame_received(START_S)
    statistics.frame_segmented(START_S, FrameTimes(float('nan'), 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0))
    report = status(statistics, START_S + 0.5)
    assert (report.level, report.kind) == (WARN, UNSTAMPED) and 'stamp 0' in report.message
    assert 'frame age p50/p95/p99 [ms]' not in report.values and report.values['wait p50/p95/p99 [ms]'] == '2.00/2.00/2.00'


def test_frames_skipped_by_max_rate_hz_do_not_count_as_slow() -> None:
    statistics = FrameStatistics(START_S)
    for number in range(100):
        now_s = START_S + number / 20
        statistics.frame_received(now_s, missed=number % 2)
        if number % 4:
            statistics.frame_skipped(now_s)
        else:
            statistics.frame_segmented(now_s, times())
    report = status(statistics, START_S + 5.0)
    assert (report.level, report.kind) == (OK, RUNNING)
    assert report.values['frames dropped: above max_rate_hz'] == '75' and report.values['frames dropped'] == '125'
