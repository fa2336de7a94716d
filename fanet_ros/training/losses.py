# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training losses over label masks."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from fanet_ros.datasets import UNLABELLED
from fanet_ros.model import FANetOutputs

AUXILIARY_WEIGHT = 0.5
HARD_BELOW = 0.7
LABEL_STRIDE = 2
AUX_LABEL_STRIDE = 4
BORDER_RADIUS = 2           # in pixels at LABEL_STRIDE


@dataclass(frozen=True)
class LabelMeaning:
    """What labels stand for and how much each weighs.

    members: (L, C) bool, the classes that each label may stand for, see ClassSets; None: labels are classes
    weights: (L,), weight of a pixel of each label; None: all the same
    smoothing: share of the target that is spread over all classes, 0..1
    """

    members: Optional[Tensor] = None
    weights: Optional[Tensor] = None
    smoothing: float = 0.0


def pixel_loss(logits: Tensor, labels: Tensor, meaning: LabelMeaning = LabelMeaning()) -> Tensor:
    """Cross-entropy of each pixel; for a label that stands for several classes, of the sum of their probabilities.

    :param logits: (N, C, H, W)
    :param labels: (N, H, W) int64, 255 is ignored
    :returns: (N, H, W), 0 where ignored
    """
    if meaning.members is None:
        return F.cross_entropy(logits, labels, reduction='none', ignore_index=UNLABELLED, label_smoothing=meaning.smoothing)
    known = labels != UNLABELLED
    log_probabilities = F.log_softmax(logits, 1)
    wrong = ~meaning.members[labels.where(known, 0)].permute(0, 3, 1, 2)            # (N, C, H, W)
    loss = -log_probabilities.masked_fill(wrong, -math.inf).logsumexp(1)
    if meaning.smoothing:
        loss = (1 - meaning.smoothing) * loss - meaning.smoothing * log_probabilities.mean(1)
    return loss.where(known, 0)


def near_borders(labels: Tensor, radius: int = BORDER_RADIUS) -> Tensor:
    """Whether a pixel has another label within `radius` pixels, across a gap without labels too.

    :param labels: (N, H, W) int64; 255 is no label
    :returns: (N, H, W) bool, False where unlabelled
    """
    known, values = labels != UNLABELLED, labels[:, None].float()

    def largest(candidates: Tensor) -> Tensor:
        return F.max_pool2d(candidates.where(known[:, None], -math.inf), 2 * radius + 1, stride=1, padding=radius)[:, 0]
    return known & (largest(values) != -largest(-values))


def ohem_cross_entropy(logits: Tensor, labels: Tensor, meaning: LabelMeaning = LabelMeaning(), *, threshold: float = HARD_BELOW,
                       keep: float = 1 / 16, border_weight: float = 1.0) -> Tensor:
    """Cross-entropy over the hard pixels only (online hard example mining; Shrivastava et al., arXiv 1604.03540).

    A pixel is hard when its true class has a probability below `threshold`, with 1 every pixel; at least the share `keep` of all
    pixels, the hardest, always counts, as in the authors' code. Does not synchronise with a GPU.

    :param logits: (N, C, H, W)
    :param labels: (N, H, W) int64, 255 is ignored
    :param border_weight: weight of hard pixels near_borders(), against that of others
    """
    loss = pixel_loss(logits, labels, meaning).flatten()
    limit = loss.detach().topk(max(int(loss.numel() * keep), 1)).values[-1].clamp(max=-math.log(threshold))
    counted = ((loss >= limit) & (labels.flatten() != UNLABELLED)).float()
    if meaning.weights is not None:
        counted = counted * meaning.weights[labels.flatten().clamp(max=len(meaning.weights) - 1)]
    if border_weight != 1:
        counted = counted * (1 + (border_weight - 1) * near_borders(labels).flatten())
    return (loss * counted).sum() / counted.sum().clamp(min=1e-6)


def soft_cross_entropy(logits: Tensor, soft: Tensor) -> Tensor:
    """Cross-entropy with the probabilities from another network (distillation; Hinton et al., arXiv 1503.02531).

    :param logits: (N, C, h, w)
    :param soft: (N, h, w, C) uint8, probabilities of 255; zeros where unknown
    """
    target = soft.permute(0, 3, 1, 2).float()
    total = target.sum(1)                                                           # (N, h, w)
    known = (total > 127).float()
    loss = -(target * F.log_softmax(logits.float(), 1)).sum(1) / total.clamp(min=1)
    return (loss * known).sum() / known.sum().clamp(min=1)


def fanet_loss(outputs: FANetOutputs, labels: Tensor, meaning: LabelMeaning = LabelMeaning(), *,
               auxiliary_weight: float = AUXILIARY_WEIGHT, hard_below: float = HARD_BELOW, border_weight: float = 1.0) -> Tensor:
    """Loss of the main head, and of each auxiliary head times `auxiliary_weight`.

    Logits are upsampled and compared at about every LABEL_STRIDE-th pixel for the main head, every AUX_LABEL_STRIDE-th for the
    auxiliary ones. Neighbouring pixels are nearly redundant, and at full size the losses would take as long as the network.

    :param labels: (N, H, W) int64, 255 is ignored
    :param hard_below: threshold of ohem_cross_entropy()
    :param border_weight: of ohem_cross_entropy(), for the main head
    """
    def at_stride(logits: Tensor, stride: int, border_weight: float = 1.0) -> Tensor:
        rows, columns = (sampled_pixels(side, stride, labels.device) for side in labels.shape[1:])
        sampled = labels[:, rows[:, None], columns]
        logits = F.interpolate(logits.float(), sampled.shape[-2:], mode='bilinear', align_corners=True)
        return ohem_cross_entropy(logits, sampled, meaning, threshold=hard_below, border_weight=border_weight)

    loss = at_stride(outputs.logits, LABEL_STRIDE, border_weight)
    if auxiliary_weight:
        loss = loss + auxiliary_weight * (
            at_stride(outputs.aux_32, AUX_LABEL_STRIDE) + at_stride(outputs.aux_16, AUX_LABEL_STRIDE))
    return loss


def sampled_pixels(side_px: int, stride: int, device: torch.device) -> Tensor:
    """Pixels (n,) int64 along a side, about `stride` apart, the first and the last included.

    n logits with aligned corners are at most half a pixel from them.
    """
    return torch.linspace(0, side_px - 1, -(-side_px // stride), device=device).round().long()


def balanced_class_weights(pixels: Tensor, num_classes: int) -> Tensor:
    """Weights (C,) that grow with rarity: 1 / ln(1.1 + share), scaled to mean 1 (Paszke et al., arXiv 1606.02147)."""
    share = pixels[:num_classes].double() / pixels[:num_classes].sum().clamp(min=1)
    weights = 1 / torch.log(1.1 + share)
    return (weights / weights.mean()).float()
