# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame statistics over a sliding window and their diagnosis. Independent of ROS: the caller passes the time."""
from __future__ import annotations

import math
import threading
from collections import Counter, deque
from dataclasses import dataclass, fields
from typing import Any, Optional

import numpy as np

OK, WARN, ERROR = 0, 1, 2       # as in diagnostic_msgs/DiagnosticStatus
WINDOW_S = 10.0
MIN_FRAMES_FOR_RATE = 10        # a rate from fewer frames is unreliable

# Kinds of Status.
RUNNING, WAITING, SLOW, SILENT, REJECTING, STALE = 'running', 'waiting', 'slow', 'silent', 'rejecting', 'stale'
LATE, IDLE, UNSTAMPED, DOUBTFUL = 'late', 'idle', 'unstamped', 'doubtful'


@dataclass(frozen=True)
class Thresholds:
    """Limits beyond which a Status is WARN or ERROR, named like the node's parameters; 0: never, except `no_image_warning_s`."""

    no_image_warning_s: float
    no_image_error_s: float
    slow_warning_share: float               # segmented frames / received frames
    latency_warning_ms: float               # p95 of total_ms
    latency_error_ms: float
    doubtful_warning_share: float           # of the pixels, below min_confidence


@dataclass(frozen=True)
class FrameTimes:
    """Milliseconds that one frame spent in each stage; see the fields of the same names in FrameTiming.msg.

    `frame_age_ms` is NaN for an image without a stamp.
    """

    frame_age_ms: float
    wait_ms: float
    convert_ms: float
    preprocess_ms: float
    network_ms: float
    postprocess_ms: float
    publish_ms: float
    overlay_ms: float
    total_ms: float


@dataclass(frozen=True)
class Status:
    """One diagnostic report: level (OK, WARN or ERROR), kind, message, and key-value pairs."""

    level: int
    kind: str
    message: str
    values: dict[str, str]


class FrameStatistics:
    """Frame counts since the start, and times and failures of the last WINDOW_S seconds. Thread-safe.

    Every `now_s` is in seconds of the same clock, which may be simulated: if it jumps back, the window is cleared.
    """

    def __init__(self, now_s: float) -> None:
        self._lock = threading.Lock()
        self._started_s = self._last_received_s = self._latest_s = now_s
        self.received = self.segmented = self.missed = self.too_old = self.skipped = 0
        self.rejected: Counter[str] = Counter()
        self._arrivals: deque[tuple[float, int]] = deque()
        self._times: deque[tuple[float, FrameTimes]] = deque()
        self._failures: deque[tuple[float, int, str]] = deque()
        self._ages_ms: deque[tuple[float, float]] = deque()         # of the frames that were too old
        self._doubtful: deque[tuple[float, float]] = deque()        # share of the pixels of a frame
        self._skips: deque[tuple[float]] = deque()                  # times at which a frame exceeded max_rate_hz
        # Everything of the last WINDOW_S seconds; each entry begins with its time.
        self._window: tuple[deque[Any], ...] = (
            self._arrivals, self._times, self._failures, self._ages_ms, self._doubtful, self._skips)

    def restart(self, now_s: float) -> None:
        """Clear the window; the counts continue."""
        with self._lock:
            self._begin(now_s)

    def frame_received(self, now_s: float, missed: int = 0) -> None:
        """Count a received frame, and `missed` earlier ones that the middleware dropped."""
        with self._lock:
            self._forget(now_s)
            self.received += 1 + missed
            self.missed += missed
            self._arrivals.append((now_s, 1 + missed))
            self._last_received_s = now_s

    def frame_segmented(self, now_s: float, times: FrameTimes, doubtful: Optional[float] = None) -> None:
        """Count a frame whose mask was published.

        :param doubtful: share of its pixels below min_confidence, 0..1; None without such a limit
        """
        with self._lock:
            self._forget(now_s)
            self.segmented += 1
            self._times.append((now_s, times))
            if doubtful is not None:
                self._doubtful.append((now_s, doubtful))

    def frame_rejected(self, now_s: float, kind: str, detail: str, level: int = WARN) -> None:
        """Count a frame that could not be segmented.

        :param kind: category under which it is counted
        :param detail: full reason
        :param level: WARN or ERROR
        """
        with self._lock:
            self._forget(now_s)
            self.rejected[kind] += 1
            self._failures.append((now_s, level, detail))

    def frame_too_old(self, now_s: float, age_ms: float) -> None:
        """Count a frame that was dropped for its age."""
        with self._lock:
            self._forget(now_s)
            self.too_old += 1
            self._ages_ms.append((now_s, age_ms))

    def frame_skipped(self, now_s: float) -> None:
        """Count a frame that was skipped because of max_rate_hz."""
        with self._lock:
            self._forget(now_s)
            self.skipped += 1
            self._skips.append((now_s,))

    def dropped(self, replaced: int) -> int:
        """Total number of dropped frames, including those that the node `replaced` by newer ones."""
        return replaced + self.missed + self.too_old + self.skipped

    def status(self, now_s: float, replaced: int, thresholds: Thresholds) -> Status:
        """Summarise the window that ends at `now_s`.

        :param replaced: frames that the node replaced by newer ones since the start
        """
        with self._lock:
            self._forget(now_s)
            level, kind, message = self._judge(now_s, thresholds)
            values = {'rate [Hz]': f'{self._rate_hz(now_s, len(self._times)):.2f}',
                      'camera rate [Hz]': f'{self._rate_hz(now_s, self._arrived()):.2f}',
                      'frames received': str(self.received), 'frames segmented': str(self.segmented),
                      'frames dropped': str(self.dropped(replaced)),
                      'frames dropped: replaced by a newer one': str(replaced),
                      'frames dropped: missed by the middleware': str(self.missed),
                      'frames dropped: too old': str(self.too_old),
                      'frames dropped: above max_rate_hz': str(self.skipped),
                      'frames rejected': str(sum(self.rejected.values()))}
            for name, count in sorted(self.rejected.items()):
                values[f'frames rejected: {name}'] = str(count)
            if self._doubtful:
                values['doubtful pixels [%]'] = f'{100 * self._doubtful_share():.1f}'
            times = [entry for _, entry in self._times]
        for stage in fields(FrameTimes) if times else ():
            spent_ms = [value for entry in times if not math.isnan(value := getattr(entry, stage.name))]
            if not spent_ms:
                continue
            percentiles = np.percentile(spent_ms, (50, 95, 99))
            name = stage.name.removesuffix('_ms').replace('_', ' ')
            values[f'{name} p50/p95/p99 [ms]'] = '/'.join(f'{value:.2f}' for value in percentiles)
        return Status(level, kind, message, values)

    def _judge(self, now_s: float, thresholds: Thresholds) -> tuple[int, str, str]:
        silent_s = now_s - self._last_received_s
        arrived, segmented = self._arrived(), len(self._times)
        rate_hz = self._rate_hz(now_s, segmented)
        if self._failures:
            worst = max(level for _, level, _ in self._failures)
            last = next(detail for _, level, detail in reversed(self._failures) if level == worst)
            frames = '1 frame' if len(self._failures) == 1 else f'{len(self._failures)} frames'
            return worst, REJECTING, f'{frames} rejected in {WINDOW_S:.0f} s, most recently: {last}'
        if silent_s > thresholds.no_image_warning_s:
            is_error = 0 < thresholds.no_image_error_s < silent_s
            return ERROR if is_error else WARN, SILENT, f'no image for {silent_s:.1f} s'
        if self._ages_ms and len(self._ages_ms) >= segmented:
            return WARN, STALE, (f'{len(self._ages_ms)} frames dropped in {WINDOW_S:.0f} s as too old, most recently at '
                                 f'{self._ages_ms[-1][1]:.0f} ms: check the clocks and max_frame_age_ms')
        if not segmented:
            return OK, WAITING, 'waiting for images'
        # Under a rate limit, frames that the middleware dropped do not count as lost.
        expected = len(self._arrivals) - len(self._skips) if self._skips else arrived
        if expected >= MIN_FRAMES_FOR_RATE and segmented < thresholds.slow_warning_share * expected:
            return WARN, SLOW, (
                f'cannot keep up: segmenting {rate_hz:.1f} of {self._rate_hz(now_s, expected):.1f} frames/s: '
                'lower input_scale, try another engine or precision, or set max_rate_hz')
        p95_ms = float(np.percentile([times.total_ms for _, times in self._times], 95))
        for level, limit_ms in ((ERROR, thresholds.latency_error_ms), (WARN, thresholds.latency_warning_ms)):
            if 0 < limit_ms < p95_ms:
                return level, LATE, (f'p95 latency, image received to published, is {p95_ms:.0f} ms, expected at most '
                                     f'{limit_ms:g}: lower input_scale, or set latency_budget_ms')
        if self._doubtful and 0 < thresholds.doubtful_warning_share < self._doubtful_share():
            share = f'{100 * self._doubtful_share():.0f}%'
            return WARN, DOUBTFUL, (f'{share} of the pixels are below min_confidence: the scenes may be unlike the '
                                    'training data')
        if all(math.isnan(times.frame_age_ms) for _, times in self._times):
            return WARN, UNSTAMPED, ('the images have stamp 0: their age is unknown, and nothing can be synchronised with '
                                     'them; have the camera driver set the stamp')
        return OK, RUNNING, f'{rate_hz:.1f} frames/s'

    def _doubtful_share(self) -> float:
        return sum(share for _, share in self._doubtful) / len(self._doubtful)

    def _arrived(self) -> int:
        return sum(count for _, count in self._arrivals)

    def _rate_hz(self, now_s: float, count: int) -> float:
        return count / min(max(now_s - self._started_s, 1e-3), WINDOW_S)

    def _forget(self, now_s: float) -> None:
        # Time jumps back when a bag or simulation restarts; simulated time is 0 until it starts.
        if now_s < self._latest_s - 1.0 or not self._latest_s:
            self._begin(now_s)
        self._latest_s = now_s
        for entries in self._window:
            while entries and entries[0][0] < now_s - WINDOW_S:
                entries.popleft()

    def _begin(self, now_s: float) -> None:
        for entries in self._window:
            entries.clear()
        self._started_s = self._last_received_s = self._latest_s = now_s
