# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels that leave open which of several classes a pixel has.

A data set with fewer classes says 'building' where another tells building from wall, and one that paints people over with what
is behind them says 'road' of a person. Such a label is the set of the classes that it may stand for; what the network gives
to any of them is right. Sets have values of their own in label images, from the number of classes up.
"""
from __future__ import annotations

from typing import Sequence

import torch

from fanet_ros.datasets import UNLABELLED, DatasetError


class ClassSets:
    """The sets that the labels of a training use; empty at first.

    :param num_classes: C, whose indices 0..C-1 stand for themselves
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._sets: list[tuple[int, ...]] = []

    def label(self, classes: Sequence[int]) -> int:
        """The value in label images of a pixel that has one of `classes`; the first tells how much the pixel weighs.

        :raises DatasetError: there are more sets than 8-bit labels can name
        """
        members = tuple(dict.fromkeys(classes))
        if len(members) == 1:
            return members[0]
        if members not in self._sets:
            if self.num_classes + len(self._sets) >= UNLABELLED:
                raise DatasetError(f'{self.num_classes} classes and {len(self._sets) + 1} sets of them: more than '
                                   'labels of 8 bits can name')
            self._sets.append(members)
        return self.num_classes + self._sets.index(members)

    def members(self) -> torch.Tensor:
        """(C + number of sets, C) bool: which classes a label may stand for."""
        table = torch.zeros(self.num_classes + len(self._sets), self.num_classes, dtype=torch.bool)
        for label, members in enumerate(self._all()):
            table[label, list(members)] = True
        return table

    def first(self) -> torch.Tensor:
        """(C + number of sets,) int64: the first class of each label."""
        return torch.tensor([members[0] for members in self._all()])

    def __len__(self) -> int:
        return len(self._sets)

    def _all(self) -> list[tuple[int, ...]]:
        return [(index,) for index in range(self.num_classes)] + self._sets
