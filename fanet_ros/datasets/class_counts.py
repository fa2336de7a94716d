# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Count how often each class occurs in the training data, before training."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Sequence

import numpy as np

from fanet_ros.datasets import DatasetError, Samples
from fanet_ros.datasets.sample import Sample


def count_classes(groups: Sequence[Samples], names: Sequence[str], *, allow_empty: bool = False,
                  threads: int = 4) -> np.ndarray:
    """(256,) int64 pixels per label, in evenly spaced samples of each data set; in further ones while a class is missing.

    :param names: of the classes
    :param allow_empty: accept classes that occur nowhere
    :raises DatasetError: a class that occurs nowhere, no labelled pixel at all, or an unreadable image
    """
    counts = np.zeros(256, np.int64)
    with ThreadPoolExecutor(threads) as pool:
        rest: list[tuple[Samples, list[int]]] = []
        for samples in groups:
            step = max(-(-len(samples) // samples.counted), 1)
            counts += _count(pool, samples, range(0, len(samples), step))
            rest.append((samples, [index for index in range(len(samples)) if index % step]))
        for samples, indices in rest:
            for start in range(0, len(indices), samples.counted):
                if allow_empty or counts[:len(names)].all():
                    break
                counts += _count(pool, samples, indices[start:start + samples.counted])
    empty = [name for name, count in zip(names, counts) if not count]
    if not counts[:len(names)].any():
        raise DatasetError('no pixel of the training data is labelled: check class_map, labels and rename')
    if empty and not allow_empty:
        raise DatasetError(f'no training label contains {", ".join(empty)}: take them out of the class map, add data that '
                           'contain them, or set allow_empty_classes: true')
    return counts


def _count(pool: ThreadPoolExecutor, samples: Samples, indices: Sequence[int]) -> np.ndarray:
    def one(index: int) -> np.ndarray:
        sample: Sample = samples[index]
        return np.bincount(sample.labels.ravel(), minlength=256)
    return sum(pool.map(one, indices), np.zeros(256, np.int64))
