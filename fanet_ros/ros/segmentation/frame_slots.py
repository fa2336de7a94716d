# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mailboxes for frames, one a camera: what arrives meanwhile replaces what waits of the same camera."""
from __future__ import annotations

import threading
from typing import Generic, Sequence, TypeVar

Item = TypeVar('Item')


class FrameSlots(Generic[Item]):
    """Hands the newest item of each camera from the threads that receive to the one thread that works.

    Of the cameras that wait, the one whose last turn is the longest ago comes first: so a camera that floods gets no
    more turns than the others, and one that is silent costs none.
    """

    def __init__(self, cameras: Sequence[str] = ('',)) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Item] = {}
        self._last_turn = dict.fromkeys(cameras, -1)
        self._dropped = dict.fromkeys(cameras, 0)
        self._turns = 0
        self._in_work = 0
        self._closed = self._paused = False

    def put(self, item: Item, camera: str = '') -> None:
        """Offer `item`, in place of the one that waits of this camera, if any. Never blocks; a pause swallows it."""
        with self._changed:
            if self._paused:
                self._dropped[camera] += 1
                return
            self._dropped[camera] += camera in self._waiting
            self._waiting[camera] = item
            self._changed.notify_all()

    def take(self, at_most: int = 1) -> list[tuple[str, Item]]:
        """Wait for an item, and take one of each camera that waits, up to `at_most`: (camera, item); [] once closed.

        Once all of them need no more work, call done().
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return []
            cameras = sorted(self._waiting, key=self._last_turn.__getitem__)[:at_most]
            for camera in cameras:
                self._turns += 1
                self._last_turn[camera] = self._turns
            self._in_work += 1
            return [(camera, self._waiting.pop(camera)) for camera in cameras]

    def done(self) -> None:
        """What one take() gave needs no more work; any thread may say so."""
        with self._changed:
            self._in_work -= 1
            self._changed.notify_all()

    def dropped(self, camera: str = '') -> int:
        """How many items of this camera were never taken: replaced, or here when a pause began."""
        with self._changed:
            return self._dropped[camera]

    def pause(self) -> None:
        """Drop what waits, accept nothing more, and wait until what was taken is done."""
        with self._changed:
            self._paused = True
            for camera in self._waiting:
                self._dropped[camera] += 1
            self._waiting.clear()
            self._changed.wait_for(lambda: not self._in_work or self._closed)

    def resume(self) -> None:
        """End the pause."""
        with self._changed:
            self._paused = False

    def close(self) -> None:
        """Let take() return [], now and from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
