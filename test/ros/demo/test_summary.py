# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Percentiles, rates, the table and the JSON for known values."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

from fanet_ros.bags.frame_reader import FrameReader
from fanet_ros.bags.latency import rate_hz, stage_latencies
from fanet_ros.bags.recording import RecordedTiming
from fanet_ros.evaluation.agreement import AgreementCounter
from fanet_ros.ros.demo.summary import DemoSummary, format_summary, summarize


def timing(network_ms: float) -> RecordedTiming:
    return RecordedTiming(0, 360, 480, 2 * network_ms, 0, 0, 0, network_ms, 0, 0, 0, 0, 0, 0, 0, 0)


def test_percentiles_of_known_values() -> None:
    by_stage = {row.stage: row for row in stage_latencies([timing(value) for value in range(101)])}
    network = by_stage['network']
    assert (network.p50_ms, network.p95_ms, network.p99_ms, network.max_ms) == (50, 95, 99, 100)
    assert by_stage['camera to mask'].p50_ms == 100 and by_stage['wait'].max_ms == 0
    assert stage_latencies([]) == ()


def test_rate() -> None:
    assert rate_hz([0, 10**8, 3 * 10**8]) == pytest.approx(2 / 0.3)
    assert rate_hz([5]) == rate_hz([]) == rate_hz([7, 7]) == 0.0


@pytest.fixture
def summary(write_bag: Callable[[Callable[[Any], None]], Path]) -> DemoSummary:
    """Ten camera frames, every other one segmented, with 75% of the pixels correct."""
    def fill(writer: Any) -> None:
        for number in range(10):
            writer.image('/image', number, np.zeros((4, 6, 3), np.uint8))
        for number in range(0, 10, 2):
            writer.image('/segmentation/mask', number, np.zeros((4, 6), np.uint8))
            writer.timing(number, network_ms=30.0, input_height=360, input_width=480, frames_received=9,
                          frames_segmented=5, frames_dropped=4)

    counter = AgreementCounter(('sky', 'road'))
    truth = np.zeros((4, 6), np.uint8)
    truth[3] = 1
    counter.add(truth, np.zeros_like(truth))
    with FrameReader(write_bag(fill)) as recording:
        return summarize(recording, counter.result(), class_count=2, source='street', checkpoint='fanet18')


def test_summary_of_a_bag(summary: DemoSummary) -> None:
    assert (summary.camera_frames, summary.masks, summary.image_size, summary.network_size) == (
        10, 5, (4, 6), (360, 480))
    assert (summary.frames_received, summary.frames_segmented, summary.frames_dropped) == (9, 5, 4)
    assert summary.camera_hz == pytest.approx(1000)    # the bag's messages are 1 ms apart
    assert summary.checks.passed


def test_table(summary: DemoSummary) -> None:
    lines = format_summary(summary).splitlines()
    assert any(line.split()[:3] == ['camera', 'frames', '10'] and '6x4' in line for line in lines)
    assert any(line.startswith('masks ') and ' 5 at ' in line and '480x360' in line for line in lines)
    assert any(line.startswith('frames dropped ') and '4 of 9 (44%)' in line for line in lines)
    assert any(line.split() == ['network', '30.0', '30.0', '30.0', '30.0'] for line in lines)
    assert any('75.0% of the pixels, mean IoU 37.5%' in line for line in lines)
    assert any('valid: 5 masks' in line for line in lines)
    assert max(map(len, lines)) <= 120


def test_json_is_strict_and_complete(summary: DemoSummary) -> None:
    content = json.loads(summary.to_json(), parse_constant=lambda name: pytest.fail(f'{name} is not JSON'))
    assert content['masks'] == 5 and content['checks']['passed'] is True
    assert content['agreement']['class_iou'] == {'sky': 0.75, 'road': 0.0}
    assert content['latencies'][3] == {
        'stage': 'network', 'p50_ms': 30.0, 'p95_ms': 30.0, 'p99_ms': 30.0, 'max_ms': 30.0}
