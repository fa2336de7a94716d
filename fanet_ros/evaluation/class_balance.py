# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A constant for the logits of each class, found on frames that the network was not trained on.

A loss in which rare classes weigh more tilts a network towards them, the more so the less it knows the scene. On frames that
it has seen nothing shows of that; on others it does, and constants set it right (logit adjustment: Menon et al., arXiv
2007.07314; here they are found by the mean IoU itself).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.inference.input_size import InputSize
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model import Checkpoint

RESOLUTIONS = (0.75, 1.0, 1.5)  # of the checkpoint's own: the constants shall do at whatever the robot runs
PIXEL_STRIDE = 7                # neighbours say nearly the same
STEPS = (1.0, 0.5, 0.25)        # nats
ROUNDS_PER_STEP = 3
SHRINKAGE = 0.004               # mean IoU, 0..1, that a constant of 1 must be worth


@dataclass(frozen=True)
class ScoredPixels:
    """Labelled pixels: `logits` (n, C) float32, `labels` (1, n) uint8; the network ran at `resolution` of its own."""

    logits: torch.Tensor
    labels: np.ndarray
    resolution: float

    def confusion(self, offsets: np.ndarray) -> ConfusionMatrix:
        """Of labels by the logits with `offsets` (C,) added."""
        predicted = (self.logits + torch.from_numpy(offsets).float()).max(1).indices
        confusion = ConfusionMatrix(self.logits.shape[1])
        confusion.add(self.labels, predicted.to(torch.uint8).numpy()[None])
        return confusion


def score_pixels(checkpoint: Checkpoint, samples: Sequence[Sample], *, description: str = 'score',
                 quiet: bool = False, resolutions: Sequence[float] = RESOLUTIONS) -> list[ScoredPixels]:
    """Logits, without temperature, of every PIXEL_STRIDE-th labelled pixel in both directions, by `resolutions` (input_scale)."""
    network, metadata = checkpoint
    preprocess = Preprocessor(metadata.mean, metadata.std, torch.device('cpu'))
    sizes = [InputSize(0, 0, metadata.training_resolution, factor) for factor in resolutions]
    chosen = slice(PIXEL_STRIDE // 2, None, PIXEL_STRIDE)
    logits: list[list[torch.Tensor]] = [[] for _ in sizes]
    labels = []
    for sample in tqdm(samples, desc=description, unit='frame', disable=quiet):
        truth = sample.labels[chosen, chosen].ravel()
        labels.append(truth[truth != UNLABELLED])
        for size, found in zip(sizes, logits):
            with torch.inference_mode():
                low = network(preprocess(sample.rgb, *size.of(*sample.rgb.shape[:2])))
                full = F.interpolate(low, sample.labels.shape, mode='bilinear', align_corners=True)[0, :, chosen, chosen]
            found.append(full.flatten(1).T[torch.from_numpy(truth != UNLABELLED)])
    return [ScoredPixels(torch.cat(found), np.concatenate(labels)[None], factor) for factor, found in zip(resolutions, logits)]


def fit_offsets(sets: Sequence[ScoredPixels]) -> np.ndarray:
    """Constants (C,) float64, in nats, that give the highest mean of the sets' mean IoU; small ones where it matters little.

    By coordinate ascent: class by class, in ever smaller steps.
    """
    def worth(offsets: np.ndarray) -> float:
        return float(np.mean([pixels.confusion(offsets).mean_iou() for pixels in sets]) - SHRINKAGE * (offsets ** 2).sum())

    offsets = np.zeros(sets[0].logits.shape[1])
    best = worth(offsets)
    for step in np.repeat(STEPS, ROUNDS_PER_STEP):
        for number in range(len(offsets)):
            for change in (step, -step):
                trial = offsets.copy()
                trial[number] += change
                value = worth(trial)
                if value > best:
                    offsets, best = trial, value
    return offsets
