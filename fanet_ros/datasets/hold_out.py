# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which samples of a data set are kept for measuring: never the neighbours of those that are trained on.

Frames of a drive that follow each other are nearly the same picture; measured on frames between those that it was trained on, a
network looks far better than it is on the next drive.
"""
from __future__ import annotations

import re
from collections import Counter
from typing import Sequence

from fanet_ros.datasets import Samples

GAP_SHARE = 0.02        # of the samples, left out between those trained on and those measured on where one drive is divided
MIN_DRIVE = 3           # frames that make a drive, where names tell drives apart


def split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """Samples to train on and to measure on, about `share` of them: whole drives where names tell them apart, else the end.

    Names that differ only in their last number are of one drive. Fewer than 4 samples are all trained on.
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
    """The fewest whole drives, small ones first, that come near the share; none if the names tell no drives apart."""
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
    """What a name begins with, but for its last number: 'drive2_000017' -> 'drive2_'."""
    return re.sub(r'\d+\D*$', '', name)
