# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measures a Segmenter on labelled images: the very one that the node runs."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

import cv2
import numpy as np
from tqdm import tqdm

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.evaluation.flicker import Flicker, FlickerCounter
from fanet_ros.evaluation.metrics import ConfusionMatrix
from fanet_ros.inference import Segmenter

# Of the image's diagonal: how far a predicted border may lie from the true one (Csurka et al., BMVC 2013, "What is a
# good evaluation measure for semantic segmentation?", which takes 0.75%). 4.5 px at 480x360.
BOUNDARY_TOLERANCE = 0.0075


@dataclass(frozen=True)
class FrameScore:
    """How one frame was labelled. `mean_iou` over the classes that occur in it, 0..1."""

    name: str
    mean_iou: float
    rgb: np.ndarray
    truth: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """What was measured at one resolution; all shares 0..1, class_iou (C,) with NaN for classes that do not occur.

    flicker: of a video; None where the frames were taken each for itself
    """

    input_height: int
    input_width: int
    frames: int
    mean_iou: float
    pixel_accuracy: float
    boundary_f_score: float
    flicker: Optional[Flicker]
    class_iou: tuple[float, ...]
    confusion: np.ndarray               # (C, C) pixels, [true, predicted]
    worst: tuple[FrameScore, ...]       # the worst first
    best: tuple[FrameScore, ...]        # the best first


def evaluate(segmenter: Segmenter, samples: Sequence[Sample], *, kept: int = 4, description: str = 'evaluate',
             quiet: bool = False, is_video: bool = False, smoothing: float = 0.0) -> Evaluation:
    """Segment all samples and compare.

    :param is_video: they are frames of one video, in order; else each is taken for itself
    :param smoothing: of a video, see Segmenter.segment()
    :param kept: how many of the best and of the worst frames are kept to look at
    """
    classes = len(segmenter.class_map)
    confusion = ConfusionMatrix(classes)
    scores: list[FrameScore] = []
    matched, flicker = np.zeros(4), FlickerCounter() if is_video else None
    segmenter.forget()
    for sample in tqdm(samples, desc=description, unit='frame', disable=quiet):
        labels = segmenter.segment(sample.rgb, smoothing=smoothing).labels
        if flicker is not None:
            flicker.add(sample.rgb, sample.labels, labels)
        else:
            segmenter.forget()
        own = ConfusionMatrix(classes)
        own.add(sample.labels, labels)
        confusion.add(sample.labels, labels)
        matched += boundary_counts(sample.labels, labels)
        if kept and own.counts.any():       # a frame without any label is neither good nor bad
            scores.append(FrameScore(sample.name, own.mean_iou(), sample.rgb, sample.labels, labels))
            scores.sort(key=lambda score: score.mean_iou)
            if len(scores) > 2 * kept:
                del scores[kept]
    return Evaluation(
        segmenter.input_height, segmenter.input_width, len(samples), confusion.mean_iou(), confusion.pixel_accuracy(),
        f_score(matched), None if flicker is None else flicker.flicker, tuple(confusion.class_iou().tolist()), confusion.counts,
        tuple(scores[:kept]), tuple(scores[::-1][:kept]))


def boundary_counts(truth: np.ndarray, labels: np.ndarray, tolerance_px: Optional[float] = None) -> np.ndarray:
    """(4,) predicted border pixels at a true border, all predicted; true ones at a predicted border, all true ones.

    Borders between any two classes count alike; beside unlabelled pixels there is none.
    """
    if tolerance_px is None:
        tolerance_px = max(BOUNDARY_TOLERANCE * float(np.hypot(*truth.shape)), 1.0)
    known = truth != UNLABELLED
    true_border, border = _border(truth, known), _border(labels, known)
    counts = []
    for here, there in ((border, true_border), (true_border, border)):
        distance = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5) if there.any() else np.full(
            here.shape, np.inf)
        counts += [int((distance[here] <= tolerance_px).sum()), int(here.sum())]
    return np.array(counts, float)


def f_score(counts: np.ndarray) -> float:
    """Harmonic mean of precision and recall of borders, 0..1, from sums of boundary_counts(); NaN without any border."""
    if not counts[1] + counts[3]:
        return float('nan')
    precision, recall = (counts[i] / max(counts[i + 1], 1) for i in (0, 2))
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _border(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Pixels whose right or lower neighbour has another class, both being labelled."""
    border = np.zeros(labels.shape, bool)
    border[:, :-1] |= (labels[:, :-1] != labels[:, 1:]) & known[:, :-1] & known[:, 1:]
    border[:-1] |= (labels[:-1] != labels[1:]) & known[:-1] & known[1:]
    return border
