# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the masks of one recording."""
from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Iterator, Optional

import cv2
import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.mask_topics import masked_cameras
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.remote_path import AnyPath
from fanet_ros.bags.topics import IMAGE_TYPES, Camera
from fanet_ros.images.decoding import ImageError, to_labels
from fanet_ros.tools.compare_masks.counts import ClassUnion, Counts
from fanet_ros.tools.compare_masks.frames import FrameDifference, frame_difference
from fanet_ros.tools.compare_masks.pairs import Mask, MaskPairs
from fanet_ros.tools.mask_classes import mask_classes

SIDES = 'A', 'B'


@dataclass(frozen=True)
class BagPair:
    """The masks of one recording: path of the bag in A and in B, and its name in the archive."""

    name: str
    a: AnyPath
    b: AnyPath


class Comparison:
    """Two open bags with masks of the same recording. Use as a context manager.

    `counts`: of the frames compared so far; `pairs`: number of pairs read so far

    :raises BagError: a bag is unreadable, or has no masks or no class map
    """

    def __init__(self, pair: BagPair, classes: ClassUnion) -> None:
        self.pair, self.classes, self.pairs = pair, classes, 0
        self._left_out: Counter[str] = Counter()
        with ExitStack() as stack:
            self.bags = stack.enter_context(BagReader(pair.a)), stack.enter_context(BagReader(pair.b))
            self.cameras = tuple(_cameras(bag) for bag in self.bags)
            self._tables = tuple({camera.topic: classes.table(side, *mask_classes(bag, camera.mask_topic)) for camera in cameras}
                                 for side, (bag, cameras) in enumerate(zip(self.bags, self.cameras)))
            self._opened = stack.pop_all()
        self.counts = Counts(classes)

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._opened.close()

    @property
    def masks(self) -> tuple[int, int]:
        """Number of masks in A and B, according to the index of the bag."""
        a, b = (sum(item.msgcount for item in bag.select([camera.mask_topic for camera in cameras], IMAGE_TYPES))
                for bag, cameras in zip(self.bags, self.cameras))
        return a, b

    @property
    def left_out(self) -> dict[str, int]:
        """Masks that could not be compared, by reason."""
        return {reason: count for reason, count in sorted(self._left_out.items()) if count}

    def frames(self, every: int) -> Iterator[FrameDifference]:
        """Compare every `every`-th pair of each camera.

        :raises BagError: a bag is damaged; the frames before count
        """
        pairs, seen = MaskPairs(*self.bags, *self.cameras), Counter[str]()
        try:
            for masks in pairs:
                self.pairs += 1
                seen[masks[0].topic] += 1
                if (seen[masks[0].topic] - 1) % every:
                    continue
                labels = self.labels(masks)
                if labels is None:
                    continue
                if labels[0].shape != labels[1].shape:
                    self._left_out['pairs of different size'] += 1
                    continue
                matrix = self.counts.add_frame(*labels)
                yield frame_difference(self.pair.name, masks, matrix, self.classes.names)
            for bag, read, expected in zip(self.bags, pairs.read, self.masks):
                if read < expected:     # reading stops silently at some kinds of damage
                    raise BagError(f'{bag.path}: only {read} of its {expected} masks can be read: one of its files is damaged; '
                                   'ros2 bag reindex repairs some')
        finally:
            for side, unpaired, damaged in zip(SIDES, pairs.unpaired, pairs.damaged):
                self._left_out.update({f'masks only in {side}': unpaired, f'damaged messages in {side}': damaged})

    def labels(self, masks: tuple[Mask, Mask]) -> Optional[tuple[np.ndarray, np.ndarray]]:
        """The masks as (H, W) uint8 of indices in the union; None, and counted, if one is unreadable."""
        try:
            a, b = (cv2.LUT(to_labels(mask.message), table[mask.topic]) for mask, table in zip(masks, self._tables))
        except ImageError:
            self._left_out['unreadable pairs'] += 1
            return None
        return np.asarray(a), np.asarray(b)


def _cameras(bag: BagReader) -> tuple[Camera, ...]:
    cameras = masked_cameras(bag)
    if not cameras:
        raise BagError(f'{bag.path} has no masks: expected a bag written by segment_bag or segment_bags')
    return cameras
