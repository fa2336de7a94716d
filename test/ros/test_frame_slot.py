"""The mailbox between the thread that receives and the one that segments."""
from __future__ import annotations

import threading

import pytest

from fanet_ros.ros.frame_slot import FrameSlot

TIMEOUT_S = 30.0


def test_the_newest_replaces_what_waits_and_is_counted() -> None:
    slot: FrameSlot[int] = FrameSlot()
    slot.put(1)
    assert (slot.take(), slot.dropped) == (1, 0)
    for number in (2, 3, 4):
        slot.put(number)
    assert (slot.take(), slot.dropped) == (4, 2)
    slot.put(5)
    assert (slot.take(), slot.dropped) == (5, 2)


def test_an_item_that_is_false_is_an_item() -> None:
    slot: FrameSlot[int] = FrameSlot()
    slot.put(0)
    assert slot.take() == 0


@pytest.mark.parametrize('waiting', [False, True])
def test_closed_it_gives_nothing_any_more(waiting: bool) -> None:
    slot: FrameSlot[int] = FrameSlot()
    if waiting:
        slot.put(1)
    slot.close()
    assert slot.take() is None
    slot.put(2)
    assert slot.take() is None


def test_close_wakes_the_thread_that_waits() -> None:
    slot: FrameSlot[int] = FrameSlot()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take()), daemon=True)
    thread.start()
    slot.close()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive() and taken == [None]


def test_between_threads_everything_is_taken_in_order_or_counted_as_dropped() -> None:
    slot: FrameSlot[int] = FrameSlot()
    taken: list[int] = []
    last = 20_000

    def take_all() -> None:
        while (item := slot.take()) is not None:
            taken.append(item)
            if item == last:
                return
    thread = threading.Thread(target=take_all, daemon=True)
    thread.start()
    for number in range(1, last + 1):
        slot.put(number)
    thread.join(TIMEOUT_S)
    assert not thread.is_alive()
    assert taken[-1] == last and taken == sorted(set(taken))
    assert len(taken) + slot.dropped == last
