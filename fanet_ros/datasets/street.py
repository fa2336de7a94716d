# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of the synthetic street, rendered on demand."""
from __future__ import annotations

import threading
from functools import lru_cache, partial
from typing import Callable, Iterable

from fanet_ros.datasets.sample import Sample
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.sources import SyntheticStreet

CLASS_MAP = 'camvid11'
# Rendering takes much longer than reading a file, so class counts use few frames.
COUNTED = 64
EARLIER = 3         # previous video frames of each, for training on clips


def load_street(seeds: Iterable[int], frames: Iterable[int], height: int, width: int, keep: Callable[[str], bool],
                cache: SampleCache) -> Samples:
    """Synthetic frames for the given seeds and frame numbers, `height` x `width` px, labels of camvid11.

    Each has EARLIER previous frames, at the street's 15 Hz.

    :param keep: whether to use a frame, given its name 'streetSEED_FRAME'
    """
    frames = tuple(frames)
    def entry(seed: int, index: int, earlier: int) -> Entry:
        name = f'street{seed}_{index}'
        return Entry(name, partial(_render, name, width, height, seed, index),
                     tuple(entry(seed, index - back, 0) for back in range(1, min(earlier, index) + 1)))

    entries = [entry(seed, index, EARLIER) for seed in seeds for index in frames]
    return Samples([item for item in entries if keep(item.name)], cache, COUNTED)


def _render(name: str, width: int, height: int, seed: int, index: int) -> Sample:
    street, lock = _street(width, height, seed)
    with lock:
        frame = street.frame(index)
    assert frame.labels is not None     # the synthetic street always has labels
    return Sample(name, frame.rgb, frame.labels)


@lru_cache(maxsize=8)
def _street(width: int, height: int, seed: int) -> tuple[SyntheticStreet, threading.Lock]:
    """Cached: a street is costly to build, and frames of one are often requested in a row."""
    return SyntheticStreet(width, height, seed), threading.Lock()
