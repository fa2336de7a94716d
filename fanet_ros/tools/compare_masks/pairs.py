# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pair the masks of two bags by camera topic and stamp, in one pass through each."""
from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Optional, Sequence

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.mask_topics import MAX_LAG_NS
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import IMAGE_TYPES, Camera
from fanet_ros.images.stamps import stamp_ns


class Mask(NamedTuple):
    """A mask that is not decoded yet. `topic`: of the camera."""

    topic: str
    stamp_ns: int
    received_ns: int
    message: Any

    def fits(self, other: Mask) -> bool:
        return (self.topic, self.stamp_ns) == (other.topic, other.stamp_ns)


class MaskPairs:
    """Iterates over the pairs of masks of two open bags, in the order of reception; holds no more than MAX_LAG_NS of either bag.

    If the bags were recorded at different times, as when a drive was replayed, the first masks' stamps relate their clocks.

    Of several masks with one stamp (such as 0), those received at the same time are paired; the others are ambiguous.

    Numbers for A and B: masks without a counterpart (`unpaired`), masks read so far (`read`), of these unreadable (`damaged`).
    """

    def __init__(self, a: BagReader, b: BagReader, cameras_a: Sequence[Camera], cameras_b: Sequence[Camera]) -> None:
        self.unpaired, self.read, self.damaged = [0, 0], [0, 0], [0, 0]
        self._streams = self._masks(0, a, cameras_a), self._masks(1, b, cameras_b)
        self._waiting: tuple[list[Mask], list[Mask]] = ([], [])
        self._later_ns = 0      # how much later masks of B are received

    def __iter__(self) -> Iterator[tuple[Mask, Mask]]:
        heads: list[Optional[Mask]] = [next(stream, None) for stream in self._streams]
        self._later_ns = _later_ns(*heads)
        while any(heads):
            a, b = heads
            if a and b and a.fits(b) and a.received_ns == b.received_ns:
                heads = [next(stream, None) for stream in self._streams]
                yield a, b
                continue
            side = 1 if a is None or (b is not None and b.received_ns - self._later_ns < a.received_ns) else 0
            mask = heads[side]
            assert mask is not None
            heads[side] = next(self._streams[side], None)
            self._drop(mask.received_ns - (self._later_ns if side else 0) - MAX_LAG_NS)
            other = self._counterpart(mask, self._waiting[1 - side])
            if other is None:
                self._waiting[side].append(mask)
            else:
                self._waiting[1 - side].remove(other)
                yield (mask, other) if side == 0 else (other, mask)
        self._drop(None)

    def _counterpart(self, mask: Mask, waiting: list[Mask]) -> Optional[Mask]:
        fitting = [other for other in waiting if mask.fits(other)]
        same_time = [other for other in fitting if other.received_ns == mask.received_ns]
        return same_time[0] if same_time else fitting[0] if len(fitting) == 1 else None

    def _drop(self, before_ns: Optional[int]) -> None:
        """Give up masks received before this time, by the clock of A; None: all."""
        for side, waiting in enumerate(self._waiting):
            later_ns = self._later_ns if side else 0
            kept = [] if before_ns is None else [mask for mask in waiting if mask.received_ns - later_ns >= before_ns]
            self.unpaired[side] += len(waiting) - len(kept)
            waiting[:] = kept

    def _masks(self, side: int, bag: BagReader, cameras: Sequence[Camera]) -> Iterator[Mask]:
        topics = {camera.mask_topic: camera.topic for camera in cameras}
        for connection, received_ns, raw in bag.messages(bag.select(topics, IMAGE_TYPES)):
            self.read[side] += 1
            try:
                message = bag.decode(connection, raw)
            except BagError:
                self.damaged[side] += 1
                continue
            yield Mask(topics[connection.topic], stamp_ns(message.header), received_ns, message)


def _later_ns(a: Optional[Mask], b: Optional[Mask]) -> int:
    """How much later the masks of B are received than those of A with the same stamps; 0 within what a node takes."""
    if a is None or b is None or not a.stamp_ns or not b.stamp_ns:
        return 0
    later_ns = (b.received_ns - b.stamp_ns) - (a.received_ns - a.stamp_ns)
    return later_ns if abs(later_ns) > MAX_LAG_NS else 0
