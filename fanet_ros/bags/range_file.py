# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A file that is read in ranges, each of which is a request."""
from __future__ import annotations

import io
from bisect import bisect_right
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, Sequence

TAIL, AHEAD, MAX_AHEAD = 128 * 1024, 64 * 1024, 8 * 2**20
HELD = 3        # ranges held in memory
PIECES_AHEAD = 2        # pieces fetched in the background, which come on top
# The same threads for all files: fsspec keeps a file system, with connections of its own, for every thread that ever asked.
_background = ThreadPoolExecutor(PIECES_AHEAD, thread_name_prefix='range_file')


class RangeFile(io.RawIOBase):
    """A seekable file, made for the way in which an MCAP is read: its start, its index at the end, then single chunks.

    A read up to the end fetches the last TAIL bytes, one inside a piece the whole piece, any other at least AHEAD bytes, and twice
    as many each time that it continues the one before.

    :param fetch: returns the bytes from start to before stop
    :param size: of the file in bytes
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch, self._size, self._at, self._ahead = fetch, size, 0, AHEAD
        self._held: deque[tuple[int, bytes]] = deque(maxlen=HELD)
        self._starts: Sequence[int] = ()
        self._stops: Sequence[int] = ()
        self._plan: list[tuple[int, int]] = []
        self._coming: dict[tuple[int, int], Future[bytes]] = {}

    def set_pieces(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Parts of the file that are always needed as a whole, as (start, stop), without overlap, such as compressed chunks."""
        pieces = sorted(pieces)
        self._starts, self._stops = [start for start, _ in pieces], [stop for _, stop in pieces]

    def read_soon(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Announce the pieces that will be read, in order; replaces what was announced before.

        While the second or a later one is in use, the next ones are fetched in the background: not from the first on, since many
        readers stop after its first message.
        """
        self._plan = list(pieces)
        self._keep_coming([])

    def close(self) -> None:
        self._keep_coming([])
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        start = min(self._at, self._size)
        stop = self._size if size < 0 else min(start + size, self._size)
        if start == stop:
            return b''
        begin, data = next((held for held in self._held if held[0] <= start and stop <= held[0] + len(held[1])), (0, b''))
        if not data:
            begin, data = self._fetched(start, stop)
        self._at = stop
        return data[start - begin:stop - begin]

    def _fetched(self, start: int, stop: int) -> tuple[int, bytes]:
        """A range that contains these bytes, and where it begins."""
        piece = bisect_right(self._starts, start) - 1
        if piece >= 0 and stop <= self._stops[piece]:
            start, stop = self._starts[piece], self._stops[piece]
            return self._hold(start, self._piece((start, stop)))
        if stop == self._size or self._size <= TAIL:
            start, stop = max(0, min(start, self._size - TAIL)), self._size
        else:
            continues = any(begin <= start <= begin + len(data) for begin, data in self._held)
            self._ahead = min(2 * self._ahead, MAX_AHEAD) if continues else AHEAD
            stop = min(max(stop, start + self._ahead), self._size)
        return self._hold(start, self._fetch(start, stop))

    def _hold(self, start: int, data: bytes) -> tuple[int, bytes]:
        self._held.append((start, data))
        return start, data

    def _piece(self, piece: tuple[int, int]) -> bytes:
        at = self._plan.index(piece) if piece in self._plan else 0
        coming = self._coming.pop(piece, None)
        if at:
            self._keep_coming(self._plan[at + 1:at + 1 + PIECES_AHEAD])
        return self._fetch(*piece) if coming is None else coming.result()

    def _keep_coming(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Fetch these pieces in the background, and give up all others."""
        for piece in self._coming.keys() - set(pieces):
            self._coming.pop(piece).cancel()
        for piece in pieces:
            if piece not in self._coming:
                self._coming[piece] = _background.submit(self._fetch, *piece)
