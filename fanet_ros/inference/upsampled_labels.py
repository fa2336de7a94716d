# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels and confidence at the frame's size from logits at 1/8 of the input resolution, on the CPU, without torch."""
from __future__ import annotations

from functools import lru_cache
from typing import Optional

import numpy as np

LEAST_LOGIT = np.float32(-80)       # relative to the largest; its exponential is still a normal float32


def upsampled_labels(logits: np.ndarray, size: tuple[int, int],
                     with_confidence: bool = False) -> tuple[np.ndarray, Optional[np.ndarray]]:
    """Argmax over classes of `logits` (C, h, w) float32 upsampled to `size`, bilinear with align_corners: (H, W) uint8.

    And, if requested, the softmax probability of that class times 255, (H, W) uint8.
    """
    columns = _stretched(logits, size[1])                                                   # (C, h, W)
    return _argmax_between(columns, size[0]), _confidence_between(columns, size[0]) if with_confidence else None


def _argmax_between(columns: np.ndarray, height: int) -> np.ndarray:
    """Argmax over classes of `columns` (C, h, W) stretched to `height`: (height, W) uint8.

    The upsampled C x H x W array is never built. Between two rows of logits every value is linear, so where one class is the
    largest in both rows, it is so everywhere between them; where there are two, they meet in one point, before which the upper one
    is the largest, and after which the lower one. A third class can only come between if it is larger than both in that point; only
    there the values are computed.
    """
    row_labels = _argmax(columns)                                                           # (h, W)
    if len(row_labels) == 1:
        return np.repeat(row_labels, height, 0)
    _, weight = _positions(len(row_labels), height)
    meeting, is_third = _meeting_points(columns, row_labels)
    labels = np.empty((height, row_labels.shape[1]), np.uint8)
    for row, start, stop in _strips(len(row_labels), height):
        is_upper = weight[start:stop, None] < meeting[row]
        # The lower label, or the upper one as lower + (upper - lower) modulo 256: several times as fast as np.where().
        np.multiply(is_upper.view(np.uint8), row_labels[row] - row_labels[row + 1], out=labels[start:stop])
        labels[start:stop] += row_labels[row + 1]
        third = np.flatnonzero(is_third[row])
        if third.size:
            top, bottom = columns[:, row, third], columns[:, row + 1, third]                # (C, m) each
            labels[start:stop, third] = _argmax(top[:, None] + weight[start:stop, None] * (bottom - top)[:, None])
    return labels


def _meeting_points(columns: np.ndarray, row_labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the largest classes of two rows are equal, as a share of the way down; and whether a third one is larger there.

    :param columns: (C, h, W)
    :param row_labels: (h, W), largest class
    :returns: (h - 1, W) float32, 1 where both rows have the same; (h - 1, W) bool
    """
    meeting = np.ones((len(row_labels) - 1, row_labels.shape[1]), np.float32)
    is_third = np.zeros(meeting.shape, bool)
    rows, places = np.nonzero(row_labels[:-1] != row_labels[1:])
    top, bottom = columns[:, rows, places], columns[:, rows + 1, places]                    # (C, N)
    number = np.arange(len(rows))
    upper, lower = row_labels[rows, places], row_labels[rows + 1, places]
    lead = top[upper, number] - top[lower, number]
    lag = bottom[lower, number] - bottom[upper, number]
    share = lead / np.maximum(lead + lag, np.finfo(np.float32).tiny)
    values = top + share * (bottom - top)
    meeting[rows, places] = share
    is_third[rows, places] = values.max(0) > np.maximum(values[upper, number], values[lower, number])
    return meeting, is_third


def _confidence_between(columns: np.ndarray, height: int) -> np.ndarray:
    """Softmax probability of the best class, times 255, of `columns` (C, h, W) stretched to `height`: (height, W) uint8.

    Between two rows of logits every value is linear, so its exponential is a geometric series: one multiplication per value
    in place of an exponential. Equal to the direct computation to within 1. Where a series would begin below LEAST_LOGIT, the
    exponentials are computed after all.
    """
    low_height = columns.shape[1]
    exact = columns - columns.max(0)    # subtracts one linear function from all classes, which cancels in a softmax
    is_below = exact.min(0) < LEAST_LOGIT                                                   # (h, W)
    columns = np.maximum(exact, LEAST_LOGIT) if is_below.any() else exact
    if low_height == 1:
        return np.repeat(_best_share(np.exp(columns[:, 0])[None]), height, 0)
    _, weight = _positions(low_height, height)
    confidence = np.empty((height, columns.shape[2]), np.uint8)
    for row, start, stop in _strips(low_height, height):
        down = columns[:, row + 1] - columns[:, row]                                        # (C, W)
        values = np.empty((stop - start, *down.shape), np.float32)
        np.exp(columns[:, row] + weight[start] * down, out=values[0])
        if len(values) > 1:
            factor = np.exp(np.float32((low_height - 1) / (height - 1)) * down)
            for number in range(1, len(values)):
                np.multiply(values[number - 1], factor, out=values[number])
        confidence[start:stop] = _best_share(values)
        below = np.flatnonzero(is_below[row] | is_below[row + 1])
        if below.size:
            top, bottom = exact[:, row, below], exact[:, row + 1, below]                    # (C, m) each
            values = top + weight[start:stop, None, None] * (bottom - top)                  # (N, C, m)
            confidence[start:stop, below] = _best_share(np.exp(values - values.max(1, keepdims=True)))
    return confidence


def _stretched(logits: np.ndarray, width: int) -> np.ndarray:
    """(C, h, w) -> (C, h, width), linear with align_corners.

    Not as a product of matrices: the threads of a BLAS library would spin afterwards, on cores that the next frame needs.
    """
    if logits.shape[2] == 1:
        return np.repeat(logits, width, 2)
    before, weight = _positions(logits.shape[2], width)
    values = np.take(np.diff(logits, axis=2), before, 2, mode='clip')
    values *= weight
    values += np.take(logits, before, 2, mode='clip')
    return values


def _best_share(values: np.ndarray) -> np.ndarray:
    """255 times the share of the largest value over the second axis: (N, C, W) -> (N, W) uint8."""
    share = values.max(1)
    share /= values.sum(1)
    share *= 255
    share += 0.5
    return share.astype(np.uint8)


def _argmax(values: np.ndarray) -> np.ndarray:
    """Argmax over the first axis, uint8; class by class, since NumPy's argmax() is many times slower on such a short axis."""
    best, index = values[0].copy(), np.zeros(values.shape[1:], np.uint8)
    for number in range(1, len(values)):
        larger = values[number] > best
        index[larger] = number
        np.maximum(best, values[number], out=best)
    return index


@lru_cache(maxsize=32)
def _positions(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of `high` samples: the low sample before it, at most low - 2, and the distance beyond it, 0..1 float32."""
    position = np.arange(high) * ((low - 1) / max(high - 1, 1))
    before = np.minimum(position.astype(np.intp), low - 2)
    return before, (position - before).astype(np.float32)


@lru_cache(maxsize=32)
def _strips(low: int, high: int) -> list[tuple[int, int, int]]:
    """(row, start, stop): samples start..stop - 1 of `high` lie between rows `row` and `row` + 1 of `low`; none is empty."""
    above, _ = _positions(low, high)
    first = np.append(np.searchsorted(above, np.arange(low - 1)), high).tolist()
    return [(row, start, stop) for row, (start, stop) in enumerate(zip(first, first[1:])) if start < stop]
