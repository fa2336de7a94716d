# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of the synthetic street, painted when they are asked for."""
from __future__ import annotations

import threading
from functools import lru_cache, partial
from typing import Callable, Iterable

from fanet_ros.datasets.sample import Sample
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.sources import SyntheticStreet

CLASS_MAP = 'camvid11'
# Painting takes much longer than reading a file, so few frames are looked at in advance.
COUNTED = 64
EARLIER = 3         # frames of the video before each, for who trains on clips


def load_street(seeds: Iterable[int], frames: Iterable[int], height: int, width: int, keep: Callable[[str], bool],
                cache: SampleCache) -> Samples:
    """The given frames of the streets of the given seeds, `height` x `width` px, labels of camvid11.

    Each knows the frames before it, at the street's 15 Hz.
    """
    frames = tuple(frames)
    def entry(seed: int, index: int, earlier: int) -> Entry:
        name = f'street{seed}_{index}'
        return Entry(name, partial(_paint, name, width, height, seed, index),
                     tuple(entry(seed, index - back, 0) for back in range(1, min(earlier, index) + 1)))

    entries = [entry(seed, index, EARLIER) for seed in seeds for index in frames]
    return Samples([item for item in entries if keep(item.name)], cache, COUNTED)


def _paint(name: str, width: int, height: int, seed: int, index: int) -> Sample:
    street, lock = _street(width, height, seed)
    with lock:
        frame = street.frame(index)
    assert frame.labels is not None     # what is drawn is known
    return Sample(name, frame.rgb, frame.labels)


@lru_cache(maxsize=8)
def _street(width: int, height: int, seed: int) -> tuple[SyntheticStreet, threading.Lock]:
    """A street is costly to build, and the frames of one are often asked for in a row."""
    return SyntheticStreet(width, height, seed), threading.Lock()
