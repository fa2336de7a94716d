# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluates a Segmenter, the same one that the node runs, on labelled images."""
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

# Tolerance for boundary positions, as a fraction of the image diagonal (Csurka et al., BMVC 2013, "What is a good
# evaluation measure for semantic segmentation?", which uses 0.75%). 4.5 px at 480x360.
BOUNDARY_TOLERANCE = 0.0075


@dataclass(frozen=True)
class FrameScore:
    """Score of one frame, with its images for the report. `mean_iou` is over the classes that occur in it, 0..1."""

    name: str
    mean_iou: float
    rgb: np.ndarray
    truth: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """Results at one resolution; all fractions 0..1, class_iou (C,) with NaN for classes that do not occur.

    flicker: for a video; None if each frame was segmented independently
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
    worst: tuple[FrameScore, ...]       # worst first
    best: tuple[FrameScore, ...]        # best first


def evaluate(segmenter: Segmenter, samples: Sequence[Sample], *, kept: int = 4, description: str = 'evaluate',
             quiet: bool = False, is_video: bool = False, smoothing: float = 0.0) -> Evaluation:
    """Segment all samples and score the labels.

    :param is_video: the samples are frames of one video, in order; otherwise each is segmented independently
    :param smoothing: for a video, see Segmenter.segment()
    :param kept: number of best and of worst frames to keep for the report
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
        if kept and own.counts.any():       # a frame without labels has no score
            scores.append(FrameScore(sample.name, own.mean_iou(), sample.rgb, sample.labels, labels))
            scores.sort(key=lambda score: score.mean_iou)
            if len(scores) > 2 * kept:
                del scores[kept]
    return Evaluation(
        segmenter.input_height, segmenter.input_width, len(samples), confusion.mean_iou(), confusion.pixel_accuracy(),
        f_score(matched), None if flicker is None else flicker.flicker, tuple(confusion.class_iou().tolist()), confusion.counts,
        tuple(scores[:kept]), tuple(scores[::-1][:kept]))


def boundary_counts(truth: np.ndarray, labels: np.ndarray, tolerance_px: Optional[float] = None) -> np.ndarray:
    """(4,) pixel counts: predicted boundary at a true one, all predicted; true boundary at a predicted one, all true.

    Boundaries between any two classes count alike; there is none next to unlabelled pixels.

    :param tolerance_px: None: BOUNDARY_TOLERANCE of the diagonal, at least 1 px
    """
    if tolerance_px is None:
        tolerance_px = max(BOUNDARY_TOLERANCE * float(np.hypot(*truth.shape)), 1.0)
    known = truth != UNLABELLED
    true_boundary, boundary = _boundary(truth, known), _boundary(labels, known)
    counts = []
    for here, there in ((boundary, true_boundary), (true_boundary, boundary)):
        distance = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5) if there.any() else np.full(
            here.shape, np.inf)
        counts += [int((distance[here] <= tolerance_px).sum()), int(here.sum())]
    return np.array(counts, float)


def f_score(counts: np.ndarray) -> float:
    """Harmonic mean of boundary precision and recall, 0..1, from summed boundary_counts(); NaN if there is no boundary."""
    if not counts[1] + counts[3]:
        return float('nan')
    precision, recall = (counts[i] / max(counts[i + 1], 1) for i in (0, 2))
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _boundary(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Boundary (H, W) bool: pixels whose right or lower neighbour has another class, both labelled."""
    boundary = np.zeros(labels.shape, bool)
    boundary[:, :-1] |= (labels[:, :-1] != labels[:, 1:]) & known[:, :-1] & known[:, 1:]
    boundary[:-1] |= (labels[:-1] != labels[1:]) & known[:-1] & known[1:]
    return boundary
