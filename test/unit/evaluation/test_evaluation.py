# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Boundary scores, best and worst frames, and the report."""
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.evaluation.evaluation import Evaluation, FrameScore, boundary_counts, evaluate, f_score
from fanet_ros.evaluation.report import draw_frames, figures, write_report
from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.model import Checkpoint, CheckpointMetadata

CLASSES = ClassMap('three', ('a', 'b', 'c'), ((255, 0, 0), (0, 255, 0), (0, 0, 255)))


def halves(at: int) -> np.ndarray:
    labels = np.zeros((40, 60), np.uint8)
    labels[:, at:] = 1
    return labels


@pytest.mark.parametrize(('at', 'expected'), [(30, 1.0), (32, 1.0), (40, 0.0)])
def test_boundaries_match_within_the_tolerance(at: int, expected: float) -> None:
    assert f_score(boundary_counts(halves(30), halves(at), tolerance_px=2.0)) == expected


def test_boundaries_next_to_unlabelled_pixels_do_not_count() -> None:
    truth = halves(30)
    truth[:, 25:35] = UNLABELLED
    assert boundary_counts(truth, halves(30), tolerance_px=1.0).tolist() == [0, 0, 0, 0]


def test_evaluation_and_report(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        metadata = CheckpointMetadata('fanet18', 'paper', 'three', CLASSES.names, CLASSES.colors, (64, 96))
        segmenter = Segmenter(Checkpoint(metadata.build_network().eval(), metadata), device='cpu', engine='torch')
    rng = np.random.default_rng(0)
    samples = []
    for number, share in enumerate((0.0, 0.3, 0.6, 0.9)):       # the truth is the prediction, except for more and more pixels
        rgb = rng.integers(0, 256, (48, 64, 3), np.uint8)
        truth = segmenter.segment(rgb).labels.copy()
        truth[rng.random(truth.shape) < share] = 2
        samples.append(Sample(f'frame{number}', rgb, truth))
    result = evaluate(segmenter, samples, kept=1, quiet=True)
    assert (result.frames, result.input_height, result.input_width) == (4, 64, 96)
    assert result.best[0].name == 'frame0' and result.best[0].mean_iou == 1.0
    assert result.worst[0].name == 'frame3' and 0 < result.mean_iou < 1
    assert result.confusion.sum() == 4 * 48 * 64
    index = write_report(tmp_path, 'a title', CLASSES, [result, result])
    text = index.read_text()
    assert f'{100 * result.mean_iou:.1f}' in text and '96x64' in text
    for image in ('class_iou.png', 'confusion.png', 'worst.jpg', 'best.jpg', 'resolutions.png'):
        assert image in text and (tmp_path / image).stat().st_size > 1000
    assert json.loads((tmp_path / 'figures.json').read_text())[0] == figures(result, CLASSES)


def test_figures_that_are_undefined_are_null() -> None:
    undefined = Evaluation(64, 96, 1, math.nan, 0.0, math.nan, None, (math.nan,) * len(CLASSES), np.zeros((3, 3), np.int64), (), ())
    assert json.loads(json.dumps(figures(undefined, CLASSES), allow_nan=False))['boundary_f_score'] is None


def test_captions_have_the_letters_of_other_languages() -> None:
    frame = np.zeros((40, 60, 3), np.uint8), halves(30), halves(30)
    one, other = (draw_frames([FrameScore(name, 1.0, *frame)], CLASSES) for name in ('möwe', 'müwe'))
    assert not np.array_equal(one, other)       # as '?' both would look the same
