# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cuts a bag into units of work."""
from __future__ import annotations

from fanet_ros.bags.reader import BagReader
from fanet_ros.tools.segment_bags.jobs import Settings, Stretch

SHORTEST = 32       # images of a unit that is worth opening the bag once more for


def cut(bag: BagReader, images: int, settings: Settings, needs_order: bool) -> tuple[Stretch, ...]:
    """Stretches of time that together are the whole bag: equally long, none cut within an instant.

    :param images: of the bag
    :param needs_order: the network remembers earlier frames: the bag stays whole
    """
    length = min(settings.longest, max(SHORTEST, images // settings.share))
    parts = -(-images // length) if images else 1
    if parts == 1 or needs_order or not bag.is_seekable:
        return (Stretch(0),)
    begin, duration = bag.start_time, bag.end_time - bag.start_time
    marks = sorted({begin + duration * part // parts for part in range(1, parts)} - {begin})
    return tuple(Stretch(number, start, stop)
                 for number, (start, stop) in enumerate(zip([None, *marks], [*marks, None])))
