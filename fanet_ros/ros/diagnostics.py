"""How the node is doing, over the last seconds. Knows nothing of nodes: it is told the time by whoever calls it."""
from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, fields

import numpy as np

OK, WARN, ERROR = 0, 1, 2       # as in diagnostic_msgs/DiagnosticStatus
WINDOW_S = 10.0


@dataclass(frozen=True)
class FrameTimes:
    """Milliseconds that one frame spent in each stage; the fields of FrameTiming, by the same names."""

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
    """One diagnostic report: level OK, WARN or ERROR, a sentence, and key-value pairs."""

    level: int
    message: str
    values: dict[str, str]


class FrameStatistics:
    """Counts frames since the start, and keeps the times and failures of the last WINDOW_S seconds.

    Every `now_s` is in seconds of one clock, which may be simulated: a clock that jumps back empties the window.
    """

    def __init__(self, now_s: float) -> None:
        self._lock = threading.Lock()
        self._started_s = self._last_received_s = self._latest_s = now_s
        self.received = self.segmented = 0
        self.rejected: Counter[str] = Counter()
        self._times: deque[tuple[float, FrameTimes]] = deque()
        self._failures: deque[tuple[float, int, str]] = deque()

    def frame_received(self, now_s: float) -> None:
        with self._lock:
            self._forget(now_s)
            self.received += 1
            self._last_received_s = now_s

    def frame_segmented(self, now_s: float, times: FrameTimes) -> None:
        with self._lock:
            self._forget(now_s)
            self.segmented += 1
            self._times.append((now_s, times))

    def frame_rejected(self, now_s: float, kind: str, detail: str, level: int = WARN) -> None:
        """Count a frame that gave no mask: `kind` is counted by, `detail` is the full reason."""
        with self._lock:
            self._forget(now_s)
            self.rejected[kind] += 1
            self._failures.append((now_s, level, detail))

    def status(self, now_s: float, dropped: int, no_image_warning_s: float) -> Status:
        """Sum up the window that ends at `now_s`."""
        with self._lock:
            self._forget(now_s)
            times = [entry for _, entry in self._times]
            span_s = max(min(now_s - self._started_s, WINDOW_S), 1e-3)
            rate_hz = len(times) / span_s
            silent_s = now_s - self._last_received_s
            if self._failures:
                level = max(level for _, level, _ in self._failures)
                message = f'{len(self._failures)} frames rejected, the last: {self._failures[-1][2]}'
            elif silent_s > no_image_warning_s:
                level, message = WARN, f'no image for {silent_s:.1f} s'
            else:
                level, message = OK, f'{rate_hz:.1f} frames/s' if times else 'waiting for images'
            values = {'rate [Hz]': f'{rate_hz:.2f}', 'frames received': str(self.received),
                      'frames segmented': str(self.segmented), 'frames dropped': str(dropped),
                      'frames rejected': str(sum(self.rejected.values()))}
            values.update({f'frames rejected: {kind}': str(count) for kind, count in sorted(self.rejected.items())})
        for stage in fields(FrameTimes) if times else ():
            p50, p95, p99 = np.percentile([getattr(entry, stage.name) for entry in times], (50, 95, 99))
            values[f'{stage.name} p50/p95/p99'] = f'{p50:.2f}/{p95:.2f}/{p99:.2f}'
        return Status(level, message, values)

    def _forget(self, now_s: float) -> None:
        if now_s < self._latest_s - 1.0:        # time was set back: a bag or a simulation began again
            self._times.clear()
            self._failures.clear()
            self._started_s = self._last_received_s = now_s
        self._latest_s = now_s
        for entries in (self._times, self._failures):
            while entries and entries[0][0] < now_s - WINDOW_S:
                entries.popleft()
