"""Draws what the network is trained on: iteration by iteration, from seed and number alone, so that a run can be resumed."""
from __future__ import annotations

from typing import Sequence

import numpy as np
import torch

from fanet_ros.training.augment import Augmentation
from fanet_ros.training.clips import camera_motion_clip
from fanet_ros.training.datasets import Sample

GRAIN = 3.0         # standard deviation of the noise that differs between the frames of a clip, of 255


class BatchSource:
    """Random batches of clips; of one frame each, unless a video network is trained.

    :param groups: lists of samples, each with the share of the clips that is drawn from it
    :param mean: of the normalisation, RGB, 0..1
    """

    def __init__(self, groups: Sequence[tuple[list[Sample], float]], augmentation: Augmentation, batch_size: int, seed: int,
                 mean: Sequence[float], std: Sequence[float], clip_length: int = 1) -> None:
        self._groups, self._augmentation = groups, augmentation
        self._batch_size, self._seed, self._clip_length = batch_size, seed, clip_length
        shares = np.array([share for _, share in groups], float)
        self._shares = shares / shares.sum()
        self._mean, self._std = np.array(mean, np.float32) * 255, np.array(std, np.float32) * 255

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Batch `number`: images (T, N, 3, H, W) float32 normalised, labels (T, N, H, W) int64; T frames of each clip."""
        rng = np.random.default_rng([self._seed, number])
        picks = rng.choice(len(self._groups), self._batch_size, p=self._shares)
        clips = [self._clip(self._groups[pick][0], rng) for pick in picks]
        rgb = np.stack([[frame for frame, _ in clip] for clip in clips], 1)                     # (T, N, H, W, 3) uint8
        labels = np.stack([[truth for _, truth in clip] for clip in clips], 1)                  # (T, N, H, W) uint8
        images = (rgb - self._mean) / self._std
        return torch.from_numpy(images).permute(0, 1, 4, 2, 3), torch.from_numpy(labels).long()

    def _clip(self, samples: list[Sample], rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        sample = samples[rng.integers(len(samples))]
        if self._clip_length == 1:
            return [self._augmentation(sample, rng)]
        clip = camera_motion_clip(sample, self._clip_length, rng)
        look = int(rng.integers(2**32))         # one look for all frames of a clip
        views = []
        for frame in clip:
            rgb, labels = self._augmentation(frame, np.random.default_rng(look))
            grain = rng.normal(0, GRAIN, rgb.shape)
            views.append((np.clip(rgb + grain, 0, 255).astype(np.uint8), labels))
        return views
