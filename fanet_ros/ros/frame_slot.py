"""A mailbox for one frame: what arrives while the last one is being worked on replaces what waits."""
from __future__ import annotations

import threading
from typing import Generic, Optional, TypeVar

Item = TypeVar('Item')


class FrameSlot(Generic[Item]):
    """Hands the newest item from one thread to another.

    `dropped` counts the items that were replaced before they were taken.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Optional[Item] = None
        self._closed = False
        self.dropped = 0

    def put(self, item: Item) -> None:
        """Offer `item`, in place of the one that waits, if any. Never blocks."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self) -> Optional[Item]:
        """Wait for an item; None once the slot is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None)
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> None:
        """Let take() return None, now and from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
