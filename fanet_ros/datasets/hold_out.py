# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Split a data set into training and validation samples that are never neighbours.

Successive frames of a drive are nearly identical; validated on frames between its training frames, a network seems far better
than it is on the next drive.
"""
from __future__ import annotations

import re
from collections import Counter
from typing import Sequence

from fanet_ros.datasets import Samples

GAP_SHARE = 0.02        # share of samples left out between training and validation when a drive is split
MIN_DRIVE = 3           # minimum frames per drive, if names distinguish drives
# At the end of a name: a time (s and fraction, or us or ns) with the number of the frame at that time, if any; or just a number.
LAST_NUMBER = re.compile(r'(?:(?<!\d)(?:\d{9,11}[._]\d+|\d{16,19})(?:_\d+)?|\d+)\D*$')


def split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """Split into training and validation samples, the latter about `share`: whole drives if names distinguish them, else the end.

    Names that differ only in their last number, or in a time at the end, belong to one drive. Fewer than 4 samples are all used for
    training.
    """
    held = _held_out_drives(samples.names, share)
    if held:
        outside, inside = ([index for index, name in enumerate(samples.names) if (_drive(name) in held) == is_held]
                           for is_held in (False, True))
        return samples.of(outside), samples.of(inside)
    count = len(samples)
    measured = round(count * share) if count >= 4 else 0
    gap = max(1, round(count * GAP_SHARE)) if measured else 0
    return samples[:count - measured - gap], samples[count - measured:]


def _held_out_drives(names: Sequence[str], share: float) -> set[str]:
    """Whole drives, smallest first, that amount to about `share`; none if the names do not distinguish drives."""
    sizes = Counter(map(_drive, names))
    if len(sizes) < 2 or min(sizes.values()) < MIN_DRIVE:
        return set()
    held: set[str] = set()
    total = 0
    for drive, size in sorted(sizes.items(), key=lambda item: (item[1], item[0])):
        if held and total + size > 1.5 * share * len(names):
            break
        held.add(drive)
        total += size
    return held if total <= len(names) / 2 else set()


def _drive(name: str) -> str:
    """Name without its last number and what follows: 'drive2_000017' -> 'drive2_'."""
    return LAST_NUMBER.sub('', name)
