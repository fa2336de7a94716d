# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joins mask, confidence and camera image of a frame by stamp, with bounded memory and without blocking."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

MAX_WAITING = 48                    # stamps; enough for a camera at 60 Hz whose masks are 0.8 s late
MAX_WAITING_BYTES = 96 * 2**20
MIN_WAITING = 4                     # stamps kept however large the images


@dataclass(frozen=True)
class JoinedFrame:
    """Messages of one stamp by layer: always `mask`, `camera` and `confidence` if they arrived in time.

    `sequence` counts the frames of one camera.
    """

    sequence: int
    stamp_ns: int
    parts: Mapping[str, Any]


class FrameJoin:
    """Joins the messages of one camera. A frame is complete once all subscribed layers have arrived.

    An incomplete frame is emitted as it is when the mask of the next one arrives. Frames are ordered by arrival, not by stamp:
    stamps jump back when a bag is played again.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, dict[str, Any]] = {}
        self._sequence = 0

    def clear(self) -> None:
        self._waiting.clear()

    def put(self, layer: str, stamp_ns: int, message: Any, wanted: frozenset[str]) -> Optional[JoinedFrame]:
        """Add a message; returns the frame that is ready now, if any.

        :param layer: 'camera', 'mask' or 'confidence'
        :param wanted: currently subscribed layers
        """
        parts = self._waiting.setdefault(stamp_ns, {})
        parts[layer] = message
        due = None
        if 'mask' in parts and wanted <= parts.keys():
            due = stamp_ns
        elif layer == 'mask':
            earlier = [stamp for stamp, other in self._waiting.items() if 'mask' in other and stamp != stamp_ns]
            due = earlier[-1] if earlier else None
        self._limit_memory()
        return None if due is None else self._emit(due)

    def _emit(self, stamp_ns: int) -> JoinedFrame:
        for earlier in list(self._waiting):
            parts = self._waiting.pop(earlier)
            if earlier == stamp_ns:
                break
        self._sequence += 1
        return JoinedFrame(self._sequence, stamp_ns, parts)

    def _limit_memory(self) -> None:
        total = sum(len(message.data) for parts in self._waiting.values() for message in parts.values())
        for stamp_ns in list(self._waiting)[:-MIN_WAITING]:
            if len(self._waiting) <= MAX_WAITING and total <= MAX_WAITING_BYTES:
                break
            total -= sum(len(message.data) for message in self._waiting.pop(stamp_ns).values())
