# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws training batches from the seed and the number of the batch alone, so that a run can be resumed."""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Callable, NamedTuple, Optional, Sequence

import numpy as np
import torch

from fanet_ros.datasets import Samples
from fanet_ros.training.augment import Augmentation, View, draw_pasted_classes, logit_positions, paste_classes
from fanet_ros.training.clips import camera_motion_clip

GRAIN = 3.0         # standard deviation of the noise that differs between the frames of a clip, of 255


class Batch(NamedTuple):
    """T frames of each of N clips; T is 1 unless a video network is trained.

    rgb (T, N, H, W, 3) uint8, labels (T, N, H, W) uint8; soft (T, N, h, w, C) uint8, probabilities of 255 at the positions of
    the logits, zeros where unknown; None if no data set has soft labels
    """

    rgb: torch.Tensor
    labels: torch.Tensor
    soft: Optional[torch.Tensor] = None

    def to(self, device: torch.device) -> Batch:
        rgb, labels = (item.to(device, non_blocking=True) for item in (self.rgb, self.labels))
        return Batch(rgb, labels, None if self.soft is None else self.soft.to(device, non_blocking=True))

    def clone(self) -> Batch:
        return Batch(self.rgb.clone(), self.labels.clone(), None if self.soft is None else self.soft.clone())

    def copy_(self, other: Batch) -> None:
        """Copy the content of a batch of the same shapes into this one."""
        self.rgb.copy_(other.rgb)
        self.labels.copy_(other.labels)
        if self.soft is not None and other.soft is not None:
            self.soft.copy_(other.soft)


@dataclass(frozen=True)
class Group:
    """A data set and its share of the clips, relative to the others', at the start and at the end of the training."""

    samples: Samples
    share: float
    final_share: float = -1.0       # negative: same as at the start

    def share_at(self, progress: float) -> float:
        """The share when `progress`, 0..1, of the training is done; never 0, for all other groups may have 0 at that moment too."""
        progress = min(max(progress, 1e-6), 1 - 1e-6)
        return self.share if self.final_share < 0 else (1 - progress) * self.share + progress * self.final_share


@dataclass(frozen=True)
class FrameDraw:
    """Parameters of one frame of a batch: a view of sample `index` of a group, and another one pasted over it.

    pasted: the other one; None: nothing
    chosen: (256,) bool, the labels of the other one whose pixels are pasted
    """

    group: int
    index: int
    view: View
    pasted: Optional[FrameDraw] = None
    chosen: Optional[np.ndarray] = None


class Draws:
    """Draws the parameters of batches.

    Every frame depends on seed, batch and position alone: several processes that share a batch draw the same as one would.

    :param positions: which clips of each batch to draw
    :param size_of: height and width [px] of a sample, by number of its group and its index
    """

    def __init__(self, groups: Sequence[Group], augmentation: Augmentation, positions: range, seed: int,
                 size_of: Callable[[int, int], tuple[int, int]]) -> None:
        self.groups, self.augmentation, self.positions = groups, augmentation, positions
        self._seed, self._size_of = seed, size_of

    def generators(self, number: int) -> list[np.random.Generator]:
        """One random generator for each clip of batch `number`."""
        return [np.random.default_rng([self._seed, number, position]) for position in self.positions]

    def frame(self, progress: float, rng: np.random.Generator) -> FrameDraw:
        """Draw one frame, when `progress`, 0..1, of the training is done."""
        drawn = self._single(progress, rng)
        if self.augmentation.paste and rng.random() < self.augmentation.paste:
            return replace(drawn, pasted=self._single(progress, rng), chosen=draw_pasted_classes(rng))
        return drawn

    def sample(self, progress: float, rng: np.random.Generator) -> tuple[int, int]:
        """Draw the number of a data set, by its share, and the index of one of its samples."""
        shares = np.array([group.share_at(progress) for group in self.groups])
        number = int(rng.choice(len(self.groups), p=shares / shares.sum()))
        return number, int(rng.integers(len(self.groups[number].samples)))

    def _single(self, progress: float, rng: np.random.Generator) -> FrameDraw:
        group, index = self.sample(progress, rng)
        return FrameDraw(group, index, self.augmentation.draw(*self._size_of(group, index), rng))


class BatchSource:
    """Random batches of clips, of one frame each unless a video network is trained. Views are rendered on the CPU."""

    def __init__(self, groups: Sequence[Group], augmentation: Augmentation, positions: range, seed: int,
                 clip_length: int = 1) -> None:
        self._groups, self._augmentation, self._clip_length = groups, augmentation, clip_length
        self._draws = Draws(groups, augmentation, positions, seed, self._size_of)

    def batch(self, number: int, progress: float = 0.0) -> Batch:
        """Batch `number`.

        :param progress: 0..1, how much of the training is done
        :raises DatasetError: an image cannot be read
        """
        clips = [self._clip(progress, rng) for rng in self._draws.generators(number)]
        return Batch(_stacked([[frame[0] for frame in clip] for clip in clips]),
                     _stacked([[frame[1] for frame in clip] for clip in clips]),
                     self._stacked_soft([[frame[2] for frame in clip] for clip in clips]))

    def _stacked_soft(self, clips: list[list[Optional[np.ndarray]]]) -> Optional[torch.Tensor]:
        """Same as _stacked(), with zeros for frames without soft labels; None if no data set has any."""
        if not self._soft_classes:
            return None
        rows, columns = (len(logit_positions(side)) for side in (self._augmentation.crop_height, self._augmentation.crop_width))
        unknown = np.zeros((rows, columns, self._soft_classes), np.uint8)
        return _stacked([[unknown if frame is None else frame for frame in clip] for clip in clips])

    @cached_property
    def _soft_classes(self) -> int:
        """Classes of the soft labels, 0 without any. The same for all batches: a recorded step copies them into its first."""
        first = [group.samples[0].soft for group in self._groups]
        return max((soft.shape[2] for soft in first if soft is not None), default=0)

    def _size_of(self, group: int, index: int) -> tuple[int, int]:
        height, width = self._groups[group].samples[index].labels.shape
        return height, width

    def _clip(self, progress: float, rng: np.random.Generator) -> list[_Frame]:
        if self._clip_length == 1:
            return [self._frame(self._draws.frame(progress, rng))]
        group, index = self._draws.sample(progress, rng)
        samples = self._groups[group].samples
        clip = samples.video(index, self._clip_length) or camera_motion_clip(samples[index], self._clip_length, rng)
        view_seed = int(rng.integers(2**32))         # the same view for all frames of a clip
        frames: list[_Frame] = []
        for frame in clip:
            height, width = frame.labels.shape
            view = self._augmentation.draw(height, width, np.random.default_rng(view_seed))
            rgb, labels = self._augmentation.render(frame, view)
            grain = rng.normal(0, GRAIN, rgb.shape)
            frames.append((np.clip(rgb + grain, 0, 255).round().astype(np.uint8), labels,
                           self._augmentation.render_soft(frame, view)))
        return frames

    def _frame(self, drawn: FrameDraw) -> _Frame:
        sample = self._groups[drawn.group].samples[drawn.index]
        rgb, labels = self._augmentation.render(sample, drawn.view)
        soft = self._augmentation.render_soft(sample, drawn.view)
        if drawn.pasted is None or drawn.chosen is None:
            return rgb, labels, soft
        other = self._frame(drawn.pasted)
        return (*paste_classes((rgb, labels), other[:2], drawn.chosen),
                pasted_soft(soft, other[2], drawn.chosen[other[1]]))


# rgb, labels, soft labels of one frame, as in Batch.
_Frame = tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]


def pasted_soft(soft: Optional[np.ndarray], other: Optional[np.ndarray], pasted: np.ndarray) -> Optional[np.ndarray]:
    """Soft labels of a view after pixels of another were pasted over it: `pasted` (H, W) bool."""
    if soft is None and other is None:
        return None
    known = soft if soft is not None else other
    assert known is not None
    soft, other = (np.zeros_like(known) if item is None else item for item in (soft, other))
    rows, columns = (np.linspace(0, side - 1, count).round().astype(int) for side, count in zip(pasted.shape, known.shape))
    return np.where(pasted[rows[:, None], columns][..., None], other, soft)


def _stacked(clips: list[list[np.ndarray]]) -> torch.Tensor:
    """(T, N, ...) of N clips of T frames."""
    return torch.from_numpy(np.stack([np.stack(clip) for clip in clips], 1))
