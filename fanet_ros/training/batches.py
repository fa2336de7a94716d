"""Draws what the network is trained on, from seed and number of the batch alone, so that a run can be resumed."""
from __future__ import annotations

from typing import Sequence

import numpy as np
import torch

from fanet_ros.training.augment import Augmentation, paste_classes
from fanet_ros.training.clips import camera_motion_clip
from fanet_ros.training.datasets import Sample, Samples

GRAIN = 3.0         # standard deviation of the noise that differs between the frames of a clip, of 255

# rgb (T, N, H, W, 3) uint8 and labels (T, N, H, W) uint8: T frames of each of N clips.
Batch = tuple[torch.Tensor, torch.Tensor]


class BatchSource:
    """Random batches of clips; of one frame each, unless a video network is trained.

    Every clip is drawn by seed, batch and position alone: several processes that share a batch draw what one would.

    :param groups: samples, each with the share of the clips that is drawn from them
    :param positions: which clips of each batch are drawn here
    """

    def __init__(self, groups: Sequence[tuple[Samples, float]], augmentation: Augmentation,
                 positions: range, seed: int, clip_length: int = 1) -> None:
        self._groups, self._augmentation = groups, augmentation
        self._positions, self._seed, self._clip_length = positions, seed, clip_length
        shares = np.array([share for _, share in groups], float)
        self._shares = shares / shares.sum()

    def batch(self, number: int) -> Batch:
        """Batch `number`.

        :raises DatasetError: a picture cannot be read
        """
        clips = [self._clip(np.random.default_rng([self._seed, number, position])) for position in self._positions]
        rgb = np.stack([[frame for frame, _ in clip] for clip in clips], 1)
        labels = np.stack([[truth for _, truth in clip] for clip in clips], 1)
        return torch.from_numpy(rgb), torch.from_numpy(labels)

    def _clip(self, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        samples, index = self._draw(rng)
        if self._clip_length == 1:
            return [self._view(samples[index], rng)]
        clip = samples.video(index, self._clip_length) or camera_motion_clip(samples[index], self._clip_length, rng)
        look = int(rng.integers(2**32))         # one look for all frames of a clip
        views = []
        for frame in clip:
            rgb, labels = self._augmentation(frame, np.random.default_rng(look))
            grain = rng.normal(0, GRAIN, rgb.shape)
            views.append((np.clip(rgb + grain, 0, 255).astype(np.uint8), labels))
        return views

    def _draw(self, rng: np.random.Generator) -> tuple[Samples, int]:
        samples = self._groups[rng.choice(len(self._groups), p=self._shares)][0]
        return samples, int(rng.integers(len(samples)))

    def _view(self, sample: Sample, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        view = self._augmentation(sample, rng)
        if self._augmentation.paste and rng.random() < self._augmentation.paste:
            samples, index = self._draw(rng)
            view = paste_classes(view, self._augmentation(samples[index], rng), rng)
        return view
