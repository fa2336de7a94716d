# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A data set as a sequence of samples that are read on demand and cached up to a memory limit."""
from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional, Union, overload

from fanet_ros.datasets.sample import Sample

DEFAULT_CACHE_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Entry:
    """Name of a sample, and how to read it. `read` may raise DatasetError and is called from several threads.

    earlier: the frames before it in its video, nearest first; () without a video
    files: image and label files; () if it is rendered or in a bag
    checksum: CRC-32 of the image message in a bag
    """

    name: str
    read: Callable[[], Sample]
    earlier: tuple[Entry, ...] = ()
    files: tuple[Path, ...] = ()
    checksum: Optional[int] = None


class SampleCache:
    """Keeps samples until `max_bytes` are used; later ones are read anew each time. Thread-safe.

    Nothing is evicted: with random access, no eviction policy would have a higher hit rate.
    """

    def __init__(self, max_bytes: int = DEFAULT_CACHE_BYTES) -> None:
        self.max_bytes, self.used_bytes = max_bytes, 0
        self._kept: dict[Entry, Sample] = {}
        self._lock = threading.Lock()

    def get(self, entry: Entry) -> Sample:
        """Return the sample of `entry`, from memory if it is cached.

        :raises DatasetError: it cannot be read
        """
        sample = self._kept.get(entry)
        if sample is None:
            sample = entry.read()
            with self._lock:
                if entry not in self._kept and self.used_bytes + sample.size_bytes <= self.max_bytes:
                    self._kept[entry] = sample
                    self.used_bytes += sample.size_bytes
        return sample


class Samples(Sequence):
    """Samples by position, in a fixed order.

    :param cache: shared by all data sets of a training run; None: a new one
    :param counted: number of samples that may be read in advance, to count the pixels of each class
    """

    def __init__(self, entries: Sequence[Entry], cache: Union[SampleCache, None] = None, counted: int = 500) -> None:
        self.entries, self.counted = tuple(entries), counted
        self._cache = cache if cache is not None else SampleCache()

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Samples: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Sample, Samples]:
        if isinstance(index, slice):
            return self.of(range(len(self))[index])
        return self._cache.get(self.entries[index])

    def of(self, indices: Sequence[int]) -> Samples:
        """The samples at these positions, in this order."""
        return Samples([self.entries[index] for index in indices], self._cache, self.counted)

    def video(self, index: int, length: int) -> Optional[list[Sample]]:
        """The `length` video frames that end with sample `index`, oldest first; None if there are not enough.

        :raises DatasetError: a frame cannot be read
        """
        entry = self.entries[index]
        if len(entry.earlier) < length - 1:
            return None
        return [self._cache.get(item) for item in (*entry.earlier[:length - 1][::-1], entry)]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples, without reading them."""
        return tuple(entry.name for entry in self.entries)

    def changed(self, change: Callable[[Sample], Sample]) -> Samples:
        """The same samples, each passed through `change` when it is read; `change` may raise DatasetError."""
        def changed(entry: Entry) -> Entry:
            return replace(entry, read=lambda: change(entry.read()), earlier=tuple(changed(item) for item in entry.earlier))
        return Samples([changed(entry) for entry in self.entries], self._cache, self.counted)
