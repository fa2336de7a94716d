# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration: how well a network's confidence matches its accuracy, and the temperature that corrects it.

Modern networks are overconfident. Dividing the logits by one number, the temperature, before the softmax keeps the labels and
makes the probabilities match the accuracy (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv 1706.04599,
section 4.2). It minimises the negative log-likelihood on frames that the network was not trained on.
"""
from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.evaluation.class_balance import ScoredPixels

RANGE = 0.2, 10.0           # of temperatures
STEPS = 30                  # of the search: each keeps 0.62 of the interval
BINS = 15                   # as in the paper


def fit_temperature(pixels: ScoredPixels) -> float:
    """Temperature within RANGE that minimises the negative log-likelihood of these pixels.

    Golden-section search over its inverse, in which that is convex.
    """
    truth = torch.from_numpy(pixels.labels[0]).long()
    ratio = (math.sqrt(5) - 1) / 2

    def loss(inverse: float) -> float:
        return float(F.cross_entropy(pixels.logits * inverse, truth))

    low, high = 1 / RANGE[1], 1 / RANGE[0]
    inner, outer = high - ratio * (high - low), low + ratio * (high - low)
    at_inner, at_outer = loss(inner), loss(outer)
    for _ in range(STEPS):
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - ratio * (high - low)
            at_inner = loss(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + ratio * (high - low)
            at_outer = loss(outer)
    return 2 / (low + high)


def calibration_error(pixels: ScoredPixels, temperature: float = 1.0) -> float:
    """Expected calibration error, 0..1: mean gap between confidence and accuracy over BINS of confidence, weighted by pixels."""
    confidence, predicted = (values.numpy() for values in (pixels.logits / temperature).softmax(1).max(1))
    is_right = predicted == pixels.labels[0]
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    difference = np.bincount(which, confidence, BINS) - np.bincount(which, is_right, BINS)
    return float(np.abs(difference).sum() / max(len(confidence), 1))
