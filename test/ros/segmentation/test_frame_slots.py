# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mailboxes between the receiving and the segmentation thread."""
from __future__ import annotations

import threading

import pytest

from fanet_ros.ros.segmentation.frame_slots import FrameSlots

TIMEOUT_S = 30.0


def test_newest_item_replaces_the_waiting_one_which_is_counted() -> None:
    slot: FrameSlots[int] = FrameSlots()
    slot.put(1)
    assert (slot.take(), slot.dropped()) == ([('', 1)], 0)
    for number in (2, 3, 4):
        slot.put(number)
    assert (slot.take(), slot.dropped()) == ([('', 4)], 2)
    slot.put(5)
    assert (slot.take(), slot.dropped()) == ([('', 5)], 2)


def test_falsy_item_is_delivered() -> None:
    slot: FrameSlots[int] = FrameSlots()
    slot.put(0)
    assert slot.take() == [('', 0)]


@pytest.mark.parametrize('waiting', [False, True])
def test_take_returns_nothing_after_close(waiting: bool) -> None:
    slot: FrameSlots[int] = FrameSlots()
    if waiting:
        slot.put(1)
    slot.close()
    assert slot.take() == []
    slot.put(2)
    assert slot.take() == []


def test_close_wakes_a_waiting_thread() -> None:
    slot: FrameSlots[int] = FrameSlots()
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take()), daemon=True)
    thread.start()
    slot.close()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive() and taken == [[]]


def test_across_threads_every_item_is_taken_in_order_or_counted_as_dropped() -> None:
    slot: FrameSlots[int] = FrameSlots()
    taken: list[int] = []
    last = 20_000

    def take_all() -> None:
        while found := slot.take():
            item = found[0][1]
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
    assert len(taken) + slot.dropped() == last


def test_least_recently_served_camera_comes_first() -> None:
    slots: FrameSlots[int] = FrameSlots(('front', 'left', 'flood', 'silent'))
    turns: list[str] = []
    for round_number in range(30):
        for _ in range(50):
            slots.put(round_number, 'flood')
        slots.put(round_number, 'front')
        if round_number % 3 == 0:       # slower than the others
            slots.put(round_number, 'left')
        for _ in range(2):              # the worker takes two items per round
            turns.append(slots.take()[0][0])
    assert turns.count('left') == 10 and abs(turns.count('front') - turns.count('flood')) <= 1
    assert slots.dropped('left') == 0 and slots.dropped('silent') == 0 and slots.dropped('flood') > 1000


def test_pause_drops_waiting_and_new_items_until_resume() -> None:
    slots: FrameSlots[int] = FrameSlots()
    slots.put(1)
    slots.pause()
    slots.put(2)
    assert slots.dropped() == 2
    slots.resume()
    slots.put(3)
    assert slots.take() == [('', 3)]


def test_pause_waits_for_taken_items() -> None:
    slots: FrameSlots[int] = FrameSlots()
    slots.put(1)
    assert slots.take() == [('', 1)]
    paused = threading.Event()
    thread = threading.Thread(target=lambda: (slots.pause(), paused.set()), daemon=True)
    thread.start()
    assert not paused.wait(0.1)         # on any machine, not before done()
    slots.done()
    assert paused.wait(TIMEOUT_S)


def test_items_of_several_cameras_are_taken_together_and_pause_waits_for_all() -> None:
    slots: FrameSlots[int] = FrameSlots(('front', 'left', 'rear'))
    for number, camera in enumerate(('rear', 'front', 'rear')):
        slots.put(number, camera)
    assert slots.take(2) == [('rear', 2), ('front', 1)] and slots.dropped('rear') == 1
    for camera in ('front', 'left', 'rear'):
        slots.put(3, camera)
    assert slots.take(2) == [('left', 3), ('rear', 3)]         # the least recently served
    paused = threading.Event()
    threading.Thread(target=lambda: (slots.pause(), paused.set()), daemon=True).start()
    for _ in range(2):                  # once per take()
        assert not paused.wait(0.02)
        slots.done()
    assert paused.wait(TIMEOUT_S) and slots.dropped('front') == 1
