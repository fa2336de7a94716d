# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ranges give the same bytes as the file, in few requests that fetch little."""
from __future__ import annotations

import io
import random

from fanet_ros.bags.range_file import AHEAD, MAX_AHEAD, TAIL, RangeFile

CONTENT = random.Random(1).randbytes(4 * 2**20)


class Opened:
    """A RangeFile and the ranges it has fetched."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.fetched: list[tuple[int, int]] = []
        self._content = content
        self.file = RangeFile(self._fetch, len(content))

    def _fetch(self, start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(self._content)
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
