# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut a bag into units of work."""
from __future__ import annotations

from fanet_ros.bags.reader import BagReader
from fanet_ros.tools.segment_bags.jobs import Settings, Unit

MIN_UNIT_IMAGES = 32    # a shorter unit is not worth opening the bag once more


def unit_count(images: int, settings: Settings) -> int:
    """Number of units for a bag of so many images."""
    length = min(settings.max_unit_images, max(MIN_UNIT_IMAGES, images // settings.min_units))
    return -(-images // length) if images else 1


def cut(bag: BagReader, images: int, settings: Settings, needs_order: bool) -> tuple[Unit, ...]:
    """Equally long time ranges that together cover the bag; images with the same reception time stay in the same range.

    :param images: number of images in the bag
    :param needs_order: the network uses previous frames, so the bag is not cut
    """
    parts = unit_count(images, settings)
    if parts == 1 or needs_order or not bag.is_seekable:
        return (Unit(0),)
    begin, duration = bag.start_time, bag.end_time - bag.start_time
    cuts = sorted({begin + duration * part // parts for part in range(1, parts)} - {begin})
    return tuple(Unit(number, start, stop)
                 for number, (start, stop) in enumerate(zip([None, *cuts], [*cuts, None])))
