# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ambiguous labels, which stand for one of several classes.

A data set with fewer classes labels a wall 'building' where another distinguishes the two, and one that ignores people labels
them as what is behind them, such as 'road'. Such a label is the set of classes that it may stand for; predicting any of them
is correct. Sets get their own values in label images, starting at the number of classes.
"""
from __future__ import annotations

from typing import Sequence

import torch

from fanet_ros.datasets import UNLABELLED, DatasetError


class ClassSets:
    """Registry of the class sets in the labels of a training run; initially empty.

    :param num_classes: C; labels 0..C-1 are the classes themselves
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._sets: list[tuple[int, ...]] = []

    def label(self, classes: Sequence[int]) -> int:
        """Label value for a pixel of one of `classes`, registered if new; the first class determines the pixel's weight.

        :raises DatasetError: more sets than 8-bit labels can hold
        """
        members = tuple(dict.fromkeys(classes))
        if len(members) == 1:
            return members[0]
        if members not in self._sets:
            if self.num_classes + len(self._sets) >= UNLABELLED:
                raise DatasetError(f'{self.num_classes} classes and {len(self._sets) + 1} sets of them: more than '
                                   '8-bit labels can hold')
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
