# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The CPU's resizing as weights, so that frames resized on the GPU equal those resized on the CPU.

For each row and column of the result, the weights say which rows and columns of the source it averages.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce

import cv2
import numpy as np
import torch
from torch import Tensor

from fanet_ros.inference.resizing import interpolation, whole_factor


@dataclass(frozen=True, eq=False)
class Taps:
    """Resampling weights along one side, to n pixels.

    `first` (n,) int32 is the first of the T neighbouring source pixels that pixel i is computed from, `weights` (T, n) float32
    are their weights.
    """

    first: Tensor
    weights: Tensor

    def along(self, values: Tensor, dimension: int) -> Tensor:
        """Resample `values`, of 3 dimensions, along one of them to n pixels, float32."""
        shape = [1, 1, 1]
        shape[dimension] = -1
        shares = (values.index_select(dimension, self.first + number) * weight.view(shape)
                  for number, weight in enumerate(self.weights))
        return reduce(torch.add, shares)


@lru_cache(maxsize=32)
def taps(source: tuple[int, int], target: tuple[int, int], device: torch.device) -> tuple[Taps, Taps]:
    """Taps of the rows and of the columns, equivalent to resized(); cached, since they cost more than a frame."""
    factor = whole_factor(source, target)
    source = source[0] // factor, source[1] // factor
    if interpolation(source, target) == cv2.INTER_LINEAR:
        along = _linear
    elif target[0] <= source[0] and target[1] <= source[1]:
        along = _area
    else:
        along = _area_linear        # what OpenCV does for INTER_AREA where one side grows
    rows, columns = (_of_blocks(factor, *along(*lengths)) for lengths in zip(source, target))
    return _on(device, *rows), _on(device, *columns)


def resampled(rgb: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Resample (H, W, 3) uint8 -> (1, 3, h, w) float32, 0..255, channels last in memory; with PyTorch, on any device."""
    return columns.along(rows.along(rgb, 0), 1).permute(2, 0, 1)[None]


def _on(device: torch.device, first: np.ndarray, weights: np.ndarray) -> Taps:
    return Taps(torch.from_numpy(first.astype(np.int32)).to(device),
                torch.from_numpy(np.ascontiguousarray(weights.T, dtype=np.float32)).to(device))


def _of_blocks(factor: int, first: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Taps of pixels that are the means of `factor` source pixels each."""
    used = int(np.flatnonzero(weights.any(0))[-1]) + 1      # at equal sizes every pixel has one tap
    return first * factor, weights[:, :used].repeat(factor, axis=1) / factor


def _area(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights by the area of the source that each pixel covers: first (n,), weights (n, T)."""
    scale = source / target
    begin = np.arange(target) * scale
    count = min(int(np.ceil(scale)) + 1, source) if source != target else 1
    first = np.minimum(np.floor(begin + 1e-6).astype(int), source - count)
    index = first[:, None] + np.arange(count)
    covered = np.minimum(index + 1, begin[:, None] + scale) - np.maximum(index, begin[:, None])
    weights = np.clip(covered, 0, None)
    return first, weights / weights.sum(1, keepdims=True)


def _linear(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Between the two nearest pixels, by their centres."""
    return _between((np.arange(target) + 0.5) * (source / target) - 0.5, source)


def _area_linear(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    inverse = target / source       # in OpenCV's order of operations: if a position coincides with a pixel, rounding decides
    before = np.floor(np.arange(target) * (1 / inverse))
    beyond = (np.arange(1, target + 1) - (before + 1) * inverse).astype(np.float32)
    return _between(before + np.where(beyond > 0, beyond - np.floor(beyond), 0.0), source)


def _between(position: np.ndarray, source: int) -> tuple[np.ndarray, np.ndarray]:
    """Two neighbours each, weighted by where `position` lies between them."""
    position = np.clip(position, 0, source - 1)
    count = min(2, source)
    first = np.minimum(np.floor(position).astype(int), source - count)
    return first, 1 - np.abs(first[:, None] + np.arange(count) - position[:, None])
