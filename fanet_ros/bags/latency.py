# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latency percentiles by stage, from timing messages."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from fanet_ros.bags.recording import RecordedTiming

# Field of the timing message -> display name, in the order in which a frame passes the stages.
STAGES = {
    'wait_ms': 'wait',
    'convert_ms': 'convert',
    'preprocess_ms': 'preprocess',
    'network_ms': 'network',
    'postprocess_ms': 'postprocess',
    'publish_ms': 'publish mask',
    'overlay_ms': 'overlay',
    'total_ms': 'received to done',
    'frame_age_ms': 'camera to mask',
}


@dataclass(frozen=True)
class StageLatency:
    """Percentiles of the time of one stage over all frames [ms]."""

    stage: str
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def stage_latencies(timings: Sequence[RecordedTiming]) -> tuple[StageLatency, ...]:
    """One entry per stage; empty without timings. Percentiles interpolate linearly between frames."""
    if not timings:
        return ()
    return tuple(
        _percentiles(label, [getattr(timing, field) for timing in timings])
        for field, label in STAGES.items())


def rate_hz(received_ns: Sequence[int]) -> float:
    """Mean rate of messages received at these times; 0 for fewer than two."""
    if len(received_ns) < 2 or received_ns[-1] <= received_ns[0]:
        return 0.0
    return (len(received_ns) - 1) * 1e9 / (received_ns[-1] - received_ns[0])


def _percentiles(label: str, values_ms: list[float]) -> StageLatency:
    p50, p95, p99 = (float(value) for value in np.percentile(values_ms, (50, 95, 99)))
    return StageLatency(label, p50, p95, p99, float(max(values_ms)))
