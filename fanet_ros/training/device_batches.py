# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The batches of BatchSource, rendered on the device that holds all images: for GPUs that would wait for views from the CPU."""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import Batch, Draws, FrameDraw, Group
from fanet_ros.training.device_views import PixelStore, Place, ViewTensors, render, render_soft

READING_THREADS = min(16, os.cpu_count() or 1)


class DeviceBatchSource:
    """Random batches of single frames, with the same draws as a BatchSource with the same arguments.

    All samples are read and moved to `device` at once.

    :raises DatasetError: an image cannot be read
    """

    def __init__(self, groups: Sequence[Group], augmentation: Augmentation, positions: range, seed: int,
                 device: torch.device) -> None:
        self._augmentation = augmentation
        self._first = np.cumsum([0] + [len(group.samples) for group in groups])
        with ThreadPoolExecutor(READING_THREADS) as pool:
            entries = [(group.samples, index) for group in groups for index in range(len(group.samples))]
            self._store = PixelStore(pool.map(lambda entry: entry[0][entry[1]], entries), device)
        self._draws = Draws(groups, augmentation, positions, seed, self._size_of)

    def batch(self, number: int, progress: float = 0.0) -> DrawnBatch:
        """Batch `number`, drawn but not rendered yet: only drawing is worth a thread.

        :param progress: 0..1, how much of the training is done
        """
        frames = [self._draws.frame(progress, rng) for rng in self._draws.generators(number)]
        over = [place for place, frame in enumerate(frames) if frame.pasted is not None]
        chosen = [frame.chosen for frame in frames if frame.chosen is not None]
        return DrawnBatch(
            self, self._views(frames), torch.tensor(over, dtype=torch.int64),
            self._views([frames[place].pasted for place in over]) if over else None,
            torch.from_numpy(np.stack(chosen)) if over else None)

    def make(self, drawn: DrawnBatch) -> Batch:
        device = self._store.device
        rgb, labels, soft = self._rendered(drawn.views.to(device))
        if drawn.pasted is not None and drawn.chosen is not None:
            over = drawn.over.to(device, non_blocking=True)
            chosen = drawn.chosen.to(device, non_blocking=True)
            other_rgb, other_labels, other_soft = self._rendered(drawn.pasted.to(device))
            pasted = chosen.gather(1, other_labels.flatten(1).long()).view(other_labels.shape)          # (M, H, W)
            rgb = rgb.index_copy(0, over, torch.where(pasted[..., None], other_rgb, rgb[over]))
            labels = labels.index_copy(0, over, torch.where(pasted, other_labels, labels[over]))
            if soft is not None and other_soft is not None:
                rows, columns = (torch.linspace(0, side - 1, count, device=device).round().long()
                                 for side, count in zip(pasted.shape[1:], soft.shape[1:]))
                cells = pasted[:, rows[:, None], columns][..., None]
                soft = soft.index_copy(0, over, torch.where(cells, other_soft, soft[over]))
        return Batch(rgb[None], labels[None], None if soft is None else soft[None])

    def _rendered(self, views: ViewTensors) -> tuple[Tensor, Tensor, Optional[Tensor]]:
        size = self._augmentation.crop_height, self._augmentation.crop_width
        rgb, labels = render(self._store, views, *size)
        return rgb.round().to(torch.uint8), labels, render_soft(self._store, views, *size)

    def _views(self, frames: Sequence[Optional[FrameDraw]]) -> ViewTensors:
        known = [frame for frame in frames if frame is not None]
        return ViewTensors.of([frame.view for frame in known], [self._place(frame.group, frame.index) for frame in known])

    def _place(self, group: int, index: int) -> Place:
        return self._store.places[self._first[group] + index]

    def _size_of(self, group: int, index: int) -> tuple[int, int]:
        place = self._place(group, index)
        return place.height, place.width


@dataclass(frozen=True)
class DrawnBatch:
    """A batch that is not rendered yet.

    over: (M,) int64, the views that others are pasted over; pasted: those others; chosen: (M, 256) bool, their pasted classes
    """

    source: DeviceBatchSource
    views: ViewTensors
    over: Tensor
    pasted: Optional[ViewTensors]
    chosen: Optional[Tensor]

    def to(self, device: torch.device) -> Batch:
        """Render it on the device of the source, which must be this one."""
        return self.source.make(self)
