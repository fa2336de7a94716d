# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Class bias: a constant added to the logits of each class, fitted on frames that the network was not trained on.

A loss that weights rare classes more biases the network towards them, the more so the less familiar the scene is. Training
frames do not show this; other frames do, and a constant per class corrects it (logit adjustment: Menon et al., arXiv
2007.07314; here the constants are fitted to the mean IoU directly).
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

RESOLUTIONS = (0.75, 1.0, 1.5)  # times the checkpoint's own: the bias must suit any resolution the robot uses
PIXEL_STRIDE = 7                # neighbouring pixels are nearly redundant
STEPS = (1.0, 0.5, 0.25)        # nats
ROUNDS_PER_STEP = 3
SHRINKAGE = 0.004               # mean IoU, 0..1, that a bias of 1 nat must gain


@dataclass(frozen=True)
class ScoredPixels:
    """Labelled pixels: `logits` (n, C) float32, `labels` (1, n) uint8; `resolution` is relative to the checkpoint's own."""

    logits: torch.Tensor
    labels: np.ndarray
    resolution: float

    def confusion(self, offsets: np.ndarray) -> ConfusionMatrix:
        """Confusion matrix of the labels predicted with `offsets` (C,) added to the logits."""
        predicted = (self.logits + torch.from_numpy(offsets).float()).max(1).indices
        confusion = ConfusionMatrix(self.logits.shape[1])
        confusion.add(self.labels, predicted.to(torch.uint8).numpy()[None])
        return confusion


def score_pixels(checkpoint: Checkpoint, samples: Sequence[Sample], *, description: str = 'score',
                 quiet: bool = False, resolutions: Sequence[float] = RESOLUTIONS) -> list[ScoredPixels]:
    """Logits, before temperature, on a grid of labelled pixels PIXEL_STRIDE apart; one set per value of `resolutions`."""
    network, metadata = checkpoint
    preprocess = Preprocessor(metadata.mean, metadata.std, torch.device('cpu'))
    sizes = [InputSize(0, 0, metadata.training_resolution, factor) for factor in resolutions]
    chosen = slice(PIXEL_STRIDE // 2, None, PIXEL_STRIDE)
    logits: list[list[torch.Tensor]] = [[] for _ in sizes]
    labels = []
    for sample in tqdm(samples, desc=description, unit='frame', disable=quiet):
        truth = sample.labels[chosen, chosen].ravel()
        labels.append(truth[truth != UNLABELLED])
        for size, parts in zip(sizes, logits):
            with torch.inference_mode():
                low = network(preprocess(sample.rgb, *size.of(*sample.rgb.shape[:2])))
                full = F.interpolate(low, sample.labels.shape, mode='bilinear', align_corners=True)[0, :, chosen, chosen]
            parts.append(full.flatten(1).T[torch.from_numpy(truth != UNLABELLED)])
    return [ScoredPixels(torch.cat(parts), np.concatenate(labels)[None], factor) for factor, parts in zip(resolutions, logits)]


def fit_class_bias(sets: Sequence[ScoredPixels]) -> np.ndarray:
    """Class bias (C,) float64, in nats, that maximises the mean IoU averaged over the sets; small where it matters little.

    Coordinate ascent: class by class, in decreasing steps.
    """
    def objective(offsets: np.ndarray) -> float:
        return float(np.mean([pixels.confusion(offsets).mean_iou() for pixels in sets]) - SHRINKAGE * (offsets ** 2).sum())

    offsets = np.zeros(sets[0].logits.shape[1])
    best = objective(offsets)
    for step in np.repeat(STEPS, ROUNDS_PER_STEP):
        for number in range(len(offsets)):
            for change in (step, -step):
                trial = offsets.copy()
                trial[number] += change
                value = objective(trial)
                if value > best:
                    offsets, best = trial, value
    return offsets
