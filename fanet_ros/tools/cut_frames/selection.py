# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Selected frames: read from a table, and found in their bags."""
from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, Collection, Mapping, NamedTuple, Optional, Sequence

from fanet_ros.bags.bag_files import is_bag
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.remote_path import AnyPath
from fanet_ros.bags.topics import IMAGE_TYPES
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.tools.row_table import read_table

COLUMNS = 'bag', 'topic', 'stamp_ns'
SUFFIXES = ('.mcap', '.db3', '.mcap.zstd', '.db3.zstd')
# Images are first searched for where their stamps suggest; with more places than this, the whole bag is read at once.
MAX_PLACES, PLACE_NS = 200, 10**9

Selection = dict[str, dict[str, set[int]]]      # bag -> topic -> stamps


class FoundFrame(NamedTuple):
    """A selected image in its bag."""

    topic: str
    stamp_ns: int
    received_ns: int


def read_selection(path: Path) -> Selection:
    """Read the table of selected frames; repeated rows count once.

    :raises ValueError: unreadable, without one of COLUMNS, without rows, or with a stamp that is not an integer
    """
    selection: Selection = {}
    for bag, topic, stamp in read_table(path, COLUMNS):
        selection.setdefault(str(bag), {}).setdefault(str(topic), set()).add(_integer(stamp, path))
    if not selection:
        raise ValueError(f'{path} has no rows: expected one per frame')
    return selection


def _integer(stamp: Any, path: Path) -> int:
    try:
        if isinstance(stamp, float):
            raise ValueError
        return int(stamp)
    except (ValueError, TypeError):
        raise ValueError(f'{path}: stamp_ns {stamp!r} is not an integer: expected nanoseconds, unrounded, as in '
                         'frames.parquet') from None


def bag_path(archive: AnyPath, name: str) -> AnyPath:
    """Path of the bag `name` of an archive, as in the column bag; `archive` may also be this bag itself.

    :raises BagError: there is none, or the name leads out of the archive
    """
    if name and not Path(name).is_absolute() and '..' not in Path(name).parts:
        path = archive / name
        candidates = [path, *(path.with_name(path.name + suffix) for suffix in SUFFIXES)]
        if archive.name == name:
            candidates.append(archive)
        for candidate in candidates:
            if candidate.exists() and is_bag(candidate):
                return candidate
    raise BagError(f'no bag {name!r} in {archive}')


def find_frames(bag: BagReader, wanted: Mapping[str, Collection[int]]) -> list[FoundFrame]:
    """The selected images of a bag, sorted by time of reception; several with one stamp all count.

    :param wanted: topic -> stamps [ns]
    """
    found: set[FoundFrame] = set()
    for topic, stamps in wanted.items():
        left = set(stamps)
        for start, stop in [*_places(bag, topic, stamps), (None, None)]:
            if left:
                here = _search(bag, topic, left, start, stop)
                found.update(here)
                left -= {frame.stamp_ns for frame in here}
    return sorted(found, key=lambda frame: (frame.received_ns, frame.topic, frame.stamp_ns))


def merged(times_ns: Collection[int], before_ns: int, after_ns: int) -> list[tuple[int, int]]:
    """Time ranges (start, stop) around these times, without overlap, in order; times from start to before stop."""
    ranges: list[tuple[int, int]] = []
    for time_ns in sorted(times_ns):
        start, stop = time_ns - before_ns, time_ns + after_ns + 1
        if ranges and start <= ranges[-1][1]:
            start, _ = ranges.pop()
        ranges.append((start, stop))
    return ranges


def _places(bag: BagReader, topic: str, stamps: Collection[int]) -> Sequence[tuple[int, int]]:
    """Where the images are if all are received as long after their stamps as the first; () if that saves nothing."""
    connections = bag.select([topic], IMAGE_TYPES)
    first = next(islice(bag.messages(connections), 1), None)
    if first is None or 0 in stamps or not bag.is_seekable:     # 0: not set, so there may be more of them anywhere
        return ()
    try:
        delay_ns = first[1] - stamp_ns(bag.decode(first[0], first[2]).header)
    except BagError:
        return ()
    ranges = merged([stamp + delay_ns for stamp in stamps], PLACE_NS, PLACE_NS)
    return ranges if len(ranges) <= MAX_PLACES else ()


def _search(bag: BagReader, topic: str, stamps: Collection[int], start: Optional[int], stop: Optional[int]) -> list[FoundFrame]:
    found = []
    for connection, received_ns, raw in bag.messages(bag.select([topic], IMAGE_TYPES), start, stop):
        try:
            stamp = stamp_ns(bag.decode(connection, raw).header)
        except BagError:        # damaged
            continue
        if stamp in stamps:
            found.append(FoundFrame(topic, stamp, received_ns))
    return found
