# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Single-item mailboxes for frames, one per camera: a new frame replaces the waiting one."""
from __future__ import annotations

import threading
from typing import Generic, Sequence, TypeVar

Item = TypeVar('Item')


class FrameSlots(Generic[Item]):
    """Passes the newest item of each camera from the receiving threads to a single worker thread.

    Among cameras with a waiting item, the one served least recently comes first, so that a fast camera cannot starve
    the others and a silent one costs no turn.
    """

    def __init__(self, cameras: Sequence[str] = ('',)) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Item] = {}
        self._last_turn = dict.fromkeys(cameras, -1)
        self._dropped = dict.fromkeys(cameras, 0)
        self._turns = 0
        self._in_progress = 0
        self._closed = self._paused = False

    def put(self, item: Item, camera: str = '') -> None:
        """Offer `item`; replaces a waiting item of this camera. Never blocks. Dropped during a pause."""
        with self._changed:
            if self._paused:
                self._dropped[camera] += 1
                return
            self._dropped[camera] += camera in self._waiting
            self._waiting[camera] = item
            self._changed.notify_all()

    def take(self, at_most: int = 1) -> list[tuple[str, Item]]:
        """Wait for an item, then take up to `at_most` items, each of a different camera: (camera, item); [] once closed.

        Call done() once when all of them have been processed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return []
            cameras = sorted(self._waiting, key=self._last_turn.__getitem__)[:at_most]
            for camera in cameras:
                self._turns += 1
                self._last_turn[camera] = self._turns
            self._in_progress += 1
            return [(camera, self._waiting.pop(camera)) for camera in cameras]

    def done(self) -> None:
        """Report that the items of one take() have been processed; callable from any thread."""
        with self._changed:
            self._in_progress -= 1
            self._changed.notify_all()

    def dropped(self, camera: str = '') -> int:
        """How many items of this camera were never taken: replaced by newer ones, or dropped by a pause."""
        with self._changed:
            return self._dropped[camera]

    def pause(self) -> None:
        """Drop waiting items, accept no new ones, and wait until all taken items are done."""
        with self._changed:
            self._paused = True
            for camera in self._waiting:
                self._dropped[camera] += 1
            self._waiting.clear()
            self._changed.wait_for(lambda: not self._in_progress or self._closed)

    def resume(self) -> None:
        with self._changed:
            self._paused = False

    def close(self) -> None:
        """Make take() return [], including one that is waiting."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
