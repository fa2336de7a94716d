# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of two sets of masks, counted by what A and what B says, with classes matched by name."""
from __future__ import annotations

from typing import Any

import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.inference import ClassMap

NOTHING = 'unlabelled'      # index 0
MAX_CLASSES = 254
LISTED = 20                 # confusions


class ClassUnion:
    """The classes of all masks of A and B; index 0: unlabelled. Grows as bags are opened."""

    def __init__(self) -> None:
        self.names, self.colors = [NOTHING], [(0, 0, 0)]
        self._known: tuple[set[str], set[str]] = ({NOTHING}, {NOTHING})

    def __len__(self) -> int:
        return len(self.names)

    def table(self, side: int, class_map: ClassMap, indices: np.ndarray) -> np.ndarray:
        """(256,) uint8: value of a mask of this side (0: A, 1: B) -> index in the union.

        :param indices: value of the mask -> class of `class_map`, see mask_classes()
        :raises BagError: too many classes
        """
        for name, color in zip(class_map.names, class_map.colors):
            if name not in self.names:
                self.names.append(name)
                self.colors.append(color)
            self._known[side].add(name)
        if len(self) > MAX_CLASSES + 1:
            raise BagError(f'A and B have {len(self) - 1} different classes: expected at most {MAX_CLASSES}')
        of_class = np.zeros(256, np.uint8)
        of_class[:len(class_map)] = [self.names.index(name) for name in class_map.names]
        return of_class[indices]

    def only_in(self, side: int) -> list[str]:
        """Classes that the masks of this side alone can have."""
        return [name for name in self.names if name in self._known[side] - self._known[1 - side]]

    def legend(self) -> ClassMap:
        """Names and colours without index 0, so that every index is one too low."""
        return ClassMap('comparison', tuple(self.names[1:]), tuple(self.colors[1:]))

    def palette(self) -> np.ndarray:
        """(256, 3) uint8 RGB: colour of each index, black for unlabelled."""
        palette = np.zeros((256, 3), np.uint8)
        palette[:len(self)] = self.colors
        return palette


class Counts:
    """Pixel counts of any number of frames. `matrix.counts`: [what A says, what B says], by index in the union."""

    def __init__(self, classes: ClassUnion) -> None:
        self._classes = classes
        self.matrix = ConfusionMatrix(len(classes))
        self.frames = 0

    def add(self, other: Counts) -> None:
        """Add the counts of other frames, with the same classes or fewer."""
        self.frames += other.frames
        self._grow()
        known = other.matrix.num_classes
        self.matrix.counts[:known, :known] += other.matrix.counts

    def add_frame(self, a: np.ndarray, b: np.ndarray) -> ConfusionMatrix:
        """Count one frame, both (H, W) uint8 of indices in the union; returns its own counts.

        :raises ValueError: the sizes differ
        """
        frame = ConfusionMatrix(self.matrix.num_classes)
        frame.add(a, b)
        self.matrix.counts += frame.counts
        self.frames += 1
        return frame

    def figures(self) -> dict[str, Any]:
        """Plain values for JSON; shares of all pixels, and the IoU of A's with B's masks, None if neither has the class."""
        self._grow()        # a bag that could not be compared may have brought classes
        counts, names = self.matrix.counts, self._classes.names
        pixels = max(int(counts.sum()), 1)
        iou = [None if np.isnan(value) else float(value) for value in self.matrix.class_iou()]
        used = [value for value in iou[1:] if value is not None]
        common = [index for index, name in enumerate(names)
                  if index and name not in self._classes.only_in(0) + self._classes.only_in(1)]
        both = counts[np.ix_(common, common)]
        return {'frames': self.frames, 'agreement': float(np.trace(counts) / pixels),
                'agreement_on_common_classes': float(np.trace(both) / both.sum()) if both.any() else None,
                'mean_iou': float(np.mean(used)) if used else None, 'class_iou': dict(zip(names[1:], iou[1:])),
                'share_in_a': dict(zip(names, (counts.sum(1) / pixels).tolist())),
                'share_in_b': dict(zip(names, (counts.sum(0) / pixels).tolist())),
                'confusions': self._confusions(pixels)}

    def shares(self) -> list[list[float]]:
        """Rows: what A says, columns: what B says; shares of all pixels."""
        self._grow()
        return (self.matrix.counts / max(int(self.matrix.counts.sum()), 1)).tolist()

    def _grow(self) -> None:
        """Make room for the classes of bags opened since."""
        known = self.matrix.num_classes
        if known < len(self._classes):
            grown = ConfusionMatrix(len(self._classes))
            grown.counts[:known, :known] = self.matrix.counts
            self.matrix = grown

    def _confusions(self, pixels: int) -> list[dict[str, Any]]:
        """The most frequent differences, as shares of all pixels."""
        names, found = self._classes.names, differences(self.matrix.counts)
        return [{'a': names[a], 'b': names[b], 'share': count / pixels} for a, b, count in found[:LISTED]]


def differences(counts: np.ndarray) -> list[tuple[int, int, int]]:
    """(what A says, what B says, number of pixels) off the diagonal, most frequent first."""
    found = [(int(a), int(b), int(counts[a, b])) for a, b in zip(*np.nonzero(counts)) if a != b]
    return sorted(found, key=lambda item: (-item[2], item[:2]))
