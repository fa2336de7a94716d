"""Losses over label maps."""
from __future__ import annotations

import math
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from fanet_ros.model import FANetOutputs
from fanet_ros.training.datasets import UNLABELLED

AUX_WEIGHT = 0.5
LABEL_STRIDE = 2
AUX_LABEL_STRIDE = 4


def ohem_cross_entropy(logits: Tensor, labels: Tensor, *, threshold: float = 0.7, keep: float = 1 / 16,
                       class_weights: Optional[Tensor] = None, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy over the hard pixels only (online hard example mining; Shrivastava et al., arXiv 1604.03540).

    A pixel is hard when its true class has a probability below `threshold`; at least the share `keep` of all pixels,
    the hardest, always counts, as in the authors' code.

    :param logits: (N, C, H, W)
    :param labels: (N, H, W) int64, 255 is ignored
    :param class_weights: (C,) or None
    :param label_smoothing: share of the target that is spread over all classes, 0..1
    """
    loss = F.cross_entropy(logits, labels, reduction='none', ignore_index=UNLABELLED,
                           label_smoothing=label_smoothing).flatten()
    count = max(int(loss.numel() * keep), 1)
    hard = loss > -math.log(threshold)
    chosen = hard if int(hard.sum()) >= count else torch.zeros_like(hard).index_fill_(0, loss.topk(count).indices, True)
    if class_weights is None:
        return loss[chosen].mean()
    weights = class_weights[labels.flatten().clamp(max=len(class_weights) - 1)][chosen]
    return (loss[chosen] * weights).sum() / weights.sum().clamp(min=1e-6)


def fanet_loss(outputs: FANetOutputs, labels: Tensor, class_weights: Optional[Tensor] = None,
               label_smoothing: float = 0.0) -> Tensor:
    """Loss of the main head plus half of each auxiliary head's.

    Logits are upsampled and compared at every LABEL_STRIDE-th pixel for the main head, every AUX_LABEL_STRIDE-th for the
    others. Neighbouring pixels say nearly the same, and at full size the losses would take as long as the network.

    :param labels: (N, H, W) int64, 255 is ignored
    """
    def at_stride(logits: Tensor, stride: int) -> Tensor:
        sampled = labels[:, ::stride, ::stride]
        # align_corners: the samples begin in one corner and, but for a remainder below the stride, end in the other.
        logits = F.interpolate(logits.float(), sampled.shape[-2:], mode='bilinear', align_corners=True)
        return ohem_cross_entropy(logits, sampled, class_weights=class_weights, label_smoothing=label_smoothing)

    return at_stride(outputs.logits, LABEL_STRIDE) + AUX_WEIGHT * (
        at_stride(outputs.aux_32, AUX_LABEL_STRIDE) + at_stride(outputs.aux_16, AUX_LABEL_STRIDE))


def balanced_class_weights(pixels: Tensor, num_classes: int) -> Tensor:
    """Weights (C,) that grow with rarity: 1 / ln(1.1 + share), scaled to mean 1 (Paszke et al., arXiv 1606.02147)."""
    share = pixels[:num_classes].double() / pixels[:num_classes].sum().clamp(min=1)
    weights = 1 / torch.log(1.1 + share)
    return (weights / weights.mean()).float()
