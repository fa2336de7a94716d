# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Differences of single frames, and the frames that differ most."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.tools.compare_masks.counts import differences
from fanet_ros.tools.compare_masks.pairs import Mask

APART_NS = 10 * 10**9
# Columns of the table.
COLUMNS = {'bag': 'string', 'topic': 'string', 'stamp_ns': 'int64', 'differs': 'float32', 'a': 'string', 'b': 'string',
           'pair_differs': 'float32'}


@dataclass(frozen=True)
class FrameDifference:
    """How much the masks of a frame differ. `a`, `b`: the pair of classes that differs most, with its own share of pixels."""

    bag: str
    topic: str
    stamp_ns: int
    differs: float
    a: str
    b: str
    pair_differs: float
    received_ns: tuple[int, int] = (0, 0)

    @property
    def row(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in COLUMNS}


def frame_difference(bag: str, masks: tuple[Mask, Mask], matrix: ConfusionMatrix, names: list[str]) -> FrameDifference:
    """The row of a frame with the pixel counts `matrix`."""
    pixels, differing = max(int(matrix.counts.sum()), 1), differences(matrix.counts)
    a, b, most = differing[0] if differing else (-1, -1, 0)
    mask = masks[0]
    return FrameDifference(bag, mask.topic, mask.stamp_ns, sum(count for _, _, count in differing) / pixels,
                           names[a] if most else '', names[b] if most else '', most / pixels,
                           (mask.received_ns, masks[1].received_ns))


class MostDifferent:
    """Keeps the frames that differ most, at most one per camera within APART_NS. Memory does not grow with the frames added."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._best: dict[tuple[str, str, int], FrameDifference] = {}    # by time slot

    def add(self, frame: FrameDifference) -> None:
        slot = frame.bag, frame.topic, frame.stamp_ns // APART_NS
        if frame.differs and (slot not in self._best or _order(frame) < _order(self._best[slot])):
            self._best[slot] = frame
            if len(self._best) > 20 * self._count:      # a slot dropped here returns if a better frame comes
                kept = sorted(self._best.items(), key=lambda item: _order(item[1]))[:10 * self._count]
                self._best = dict(kept)

    def frames(self) -> list[FrameDifference]:
        """The frames, most different first."""
        chosen: list[FrameDifference] = []
        for frame in sorted(self._best.values(), key=_order):
            if len(chosen) < self._count and not any(_is_near(frame, other) for other in chosen):
                chosen.append(frame)
        return chosen


def _order(frame: FrameDifference) -> tuple[Any, ...]:
    return -frame.differs, frame.bag, frame.topic, frame.stamp_ns


def _is_near(frame: FrameDifference, other: FrameDifference) -> bool:
    return (frame.bag, frame.topic) == (other.bag, other.topic) and abs(frame.stamp_ns - other.stamp_ns) < APART_NS
