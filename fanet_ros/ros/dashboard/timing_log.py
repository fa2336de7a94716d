# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last timing messages of one camera, so that each page can fetch those it has not seen."""
from __future__ import annotations

import math
import threading
from collections import deque
from typing import Optional

from fanet_ros.images.stamps import stamp_ns
from fanet_ros.msg import FrameTiming

KEPT = 300          # frames; also the number the page keeps
FIELDS = ('frame_age_ms', 'wait_ms', 'convert_ms', 'preprocess_ms', 'network_ms', 'postprocess_ms', 'publish_ms',
          'overlay_ms', 'total_ms', 'input_height', 'input_width', 'frames_received', 'frames_segmented', 'frames_dropped',
          'frames_rejected', 'batch_size')


class TimingLog:
    """Rows of numbers: stamp [ms], reception time [ms], then FIELDS; None for unknown values. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[tuple[int, list[Optional[float]]]] = deque(maxlen=KEPT)
        self._count = 0

    def add(self, message: FrameTiming, received_ms: float) -> None:
        """Append a message received at `received_ms` (system clock)."""
        stamp_ms = stamp_ns(message.header) / 10**6
        values = [stamp_ms, received_ms, *(getattr(message, name) for name in FIELDS)]
        row = [round(value, 3) if math.isfinite(value) else None for value in values]
        with self._lock:
            self._rows.append((self._count, row))
            self._count += 1

    def since(self, count: int) -> tuple[int, list[list[Optional[float]]]]:
        """The total count to pass next time, and the kept rows after the first `count`; all if `count` is invalid."""
        with self._lock:
            if not 0 <= count <= self._count:
                count = 0
            return self._count, [row for number, row in self._rows if number >= count]
