# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges give the same bytes as the file, in few requests that fetch little."""
from __future__ import annotations

import io
import random
import threading
from functools import partial
from typing import Callable

import pytest
from waiting import wait_for

from fanet_ros.bags.errors import StoreError
from fanet_ros.bags.range_file import AHEAD, MAX_AHEAD, TAIL, RangeFile

CONTENT = random.Random(1).randbytes(4 * 2**20)


class Opened:
    """A RangeFile and the ranges it has fetched; `before`: called with the start of each."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.fetched: list[tuple[int, int]] = []
        self.before: Callable[[int], object] = lambda start: None
        self._content = content
        self.file = RangeFile(self._fetch, len(content))

    def has_fetched(self, ranges: list[tuple[int, int]]) -> bool:
        return set(self.fetched) >= set(ranges)

    def _fetch(self, start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(self._content)
        self.before(start)
        self.fetched.append((start, stop))
        return self._content[start:stop]


def test_any_order_of_reads_gives_the_bytes_of_the_file() -> None:
    opened, expected, order = Opened(), io.BytesIO(CONTENT), random.Random(2)
    opened.file.set_pieces([(10**6, 2 * 10**6), (2 * 10**6, 2 * 10**6 + 5)])
    for _ in range(2000):
        at = order.choice([(order.randrange(len(CONTENT) + 9), io.SEEK_SET), (-order.randrange(1, 10**6), io.SEEK_END)])
        size = order.randrange(-1, 10**5)
        assert opened.file.seek(*at) == expected.seek(*at)
        assert opened.file.read(size) == expected.read(size)


def test_a_small_file_takes_one_request() -> None:
    opened = Opened(CONTENT[:TAIL])
    assert opened.file.read(8) == CONTENT[:8]
    opened.file.seek(-37, io.SEEK_END)
    assert opened.file.read() == CONTENT[TAIL - 37:TAIL] and opened.file.read() == b''
    assert opened.fetched == [(0, TAIL)]


def test_start_end_and_a_piece_take_one_request_each() -> None:
    opened = Opened()
    opened.file.set_pieces([(2 * 10**6, 3 * 10**6)])
    size = len(CONTENT)
    for at, count in ((0, 8), (20, 100), (size - 37, -1), (size - 5000, 9), (2 * 10**6 + 33, 4), (2 * 10**6 + 49, 10**5)):
        opened.file.seek(at)
        opened.file.read(count)
    assert opened.fetched == [(0, AHEAD), (size - TAIL, size), (2 * 10**6, 3 * 10**6)]


def test_reading_on_fetches_more_at_a_time() -> None:
    opened = Opened(bytes(3 * MAX_AHEAD))
    while opened.file.read(1000):
        pass
    sizes = [stop - start for start, stop in opened.fetched]
    assert sizes[:3] == [AHEAD, 2 * AHEAD, 4 * AHEAD] and max(sizes) == MAX_AHEAD and len(sizes) < 12


def test_announced_pieces_are_fetched_ahead_from_the_second_one_on() -> None:
    opened, pieces, size = Opened(), [(at * 10**5, (at + 1) * 10**5) for at in range(1, 30)], 10**5
    plan = pieces[3:20:2]
    opened.file.set_pieces(pieces)
    opened.file.read_soon(plan)
    held_back = threading.Event()
    opened.before = lambda start: held_back.wait() if start > plan[1][0] else None      # those ahead, when the second one is there
    for start, _ in plan[:2]:
        opened.file.seek(start)
        assert opened.file.read(size) == CONTENT[start:start + size]
    held_back.set()
    for number, (start, _) in enumerate(plan[2:-2], 2):
        opened.file.seek(start + 5)
        assert opened.file.read(7) == CONTENT[start + 5:start + 12]
        wait_for(partial(opened.has_fetched, plan[:number + 3]))
    assert sorted(opened.fetched) == plan


def test_a_reader_that_stops_at_the_first_piece_or_jumps_fetches_nothing_in_vain() -> None:
    opened, pieces = Opened(), [(at * 10**5, (at + 1) * 10**5) for at in range(1, 30)]
    opened.file.set_pieces(pieces)
    opened.file.read_soon(pieces[4:])
    for piece in (pieces[4], pieces[2]):
        opened.file.seek(piece[0])
        opened.file.read(10)
    assert opened.fetched == [pieces[4], pieces[2]]


def test_an_error_in_the_background_is_raised_where_the_piece_is_read() -> None:
    opened, pieces = Opened(), [(at * 10**5, (at + 1) * 10**5) for at in range(1, 9)]
    opened.file.set_pieces(pieces)
    opened.file.read_soon(pieces)

    def refuse(start: int) -> None:
        if start == pieces[2][0]:
            raise StoreError('gone')
    opened.before = refuse
    for start, _ in pieces[:2]:
        opened.file.seek(start)
        assert opened.file.read(5) == CONTENT[start:start + 5]
    opened.file.seek(pieces[2][0])
    with pytest.raises(StoreError, match='gone'):
        opened.file.read(5)
    opened.file.close()
