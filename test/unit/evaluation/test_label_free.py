# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Consistency of networks without labels: for given predictions, and on frames of the synthetic street."""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from fanet_ros.datasets import UNLABELLED
from fanet_ros.evaluation.label_free import TeacherAgreement, TeacherLabels, compare
from fanet_ros.evaluation.verdict import judge
from fanet_ros.evaluation.views import FramePair, Predictions, predict_views
from fanet_ros.model import Checkpoint, CheckpointMetadata
from fanet_ros.sources import SyntheticStreet

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((1, 2, 3), (4, 5, 6), (7, 8, 9)), (96, 128))
CPU = torch.device('cpu')


def predictions(labels: list[int], scale: list[int], flip: list[int], confidence: float = 0.9) -> Predictions:
    rows = [np.array([item], np.uint8) for item in (labels, scale, flip)]
    return Predictions(rows[0], np.full(rows[0].shape, confidence, np.float32), {'scale': rows[1], 'flip': rows[2]})


def test_consistency_of_given_predictions() -> None:
    given = [predictions([0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 1, 1])]
    found = compare(given, given, 3)
    assert found.before == found.after and not judge(found, METADATA.class_names).is_better       # nothing gained
    assert found.before.agreement == pytest.approx({'scale': (2 / 3 + 1 / 2) / 2, 'flip': 1.0})
    assert found.before.agreed == 0.75 and found.before.confidence == pytest.approx(0.9)
    assert found.before.class_shares == (0.5, 0.5, 0.0)


def test_pixels_without_a_view_count_neither_way() -> None:
    partly = Predictions(np.array([[0, 1]], np.uint8), np.full((1, 2), 0.9, np.float32),
                         {'motion': np.array([[0, UNLABELLED]], np.uint8)})
    assert partly.agreed.all() and compare([partly], [partly], 3).before.agreed == 1.0


def test_a_lost_class_counts_as_disagreement() -> None:
    before = [predictions([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1])]
    after = [predictions([0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0])]
    found = compare(before, after, 3)
    assert found.before.agreement == {'scale': 1.0, 'flip': 1.0} and found.after.agreement == {'scale': 0.5, 'flip': 0.5}
    assert found.kept == 0.5 and found.changed == 0.5
    assert found.kept_by_class[:2] == (1.0, 0.0) and math.isnan(found.kept_by_class[2])
    verdict = judge(found, METADATA.class_names)
    assert not verdict.is_better and [line[:4] for line in verdict.reasons] == ['FAIL', 'FAIL', 'FAIL']
    assert verdict.reasons[2].endswith('are lost: b')


def test_labels_that_were_not_confident_may_change() -> None:
    inconsistent = [predictions([0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 1, 0])]
    better = [predictions([0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0])]
    found = compare(inconsistent, better, 3)
    assert found.kept == 1.0 and found.changed == 0.25 and judge(found, METADATA.class_names).is_better
    uncertain = [predictions([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], confidence=0.5)]
    assert math.isnan(compare(uncertain, better, 3).kept_by_class[0])


def test_what_has_just_come_into_view_has_no_previous_labels() -> None:
    """The camera turns to the right by 24 px, which are 6 of the compared columns."""
    metadata = replace(METADATA, training_resolution=(240, 320))
    scene = SyntheticStreet(480, 240, seed=3).frame(30).rgb
    previous, rgb = (np.ascontiguousarray(scene[:, first:320 + first]) for first in (0, 24))
    found, = predict_views(Checkpoint(metadata.build_network().eval(), metadata), [FramePair(rgb, previous)], CPU)
    motion = found.views['motion']
    assert motion.shape == (60, 80) and (motion[:, -5:] == UNLABELLED).mean() > 0.95 and (motion[:, :-8] != UNLABELLED).mean() > 0.9


ALL = np.ones(3, bool)


def test_a_teacher_says_which_confident_labels_are_right() -> None:
    """The third pixel may change, since the teacher does not confirm it."""
    before = [predictions([0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 1, 1])]
    after = [predictions([0, 0, 2, 1], [0, 0, 1, 0], [0, 0, 1, 0])]
    assert compare(before, after, 3).teacher is None and not judge(compare(before, after, 3), METADATA.class_names).is_better
    found = compare(before, after, 3, TeacherLabels([np.array([[0, 0, 2, 1]], np.uint8).repeat(2, 0)], ALL))
    assert found.teacher == TeacherAgreement(pytest.approx(2 / 3), pytest.approx((1 + 0 + 1 / 2) / 3), 1.0)
    assert found.kept == 1.0 and math.isnan(found.kept_by_class[1])
    verdict = judge(found, METADATA.class_names)
    assert [line[:4] for line in verdict.reasons] == ['ok  ', 'ok  ', 'ok  ', 'FAIL'] and not verdict.is_better
    assert verdict.reasons[0].startswith("ok   the teacher's labels agree with the network's by 100.0%, 50.0% before")
    assert verdict.reasons[-1] == 'FAIL the teacher agrees in 66.7% of the pixels that the original is confident of; expected 70'


def test_a_network_that_learned_nothing_from_the_teacher_is_refused() -> None:
    same = [predictions([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1])]
    verdict = judge(compare(same, same, 3, TeacherLabels([np.array([[0, 0, 1, UNLABELLED]], np.uint8)], ALL)), METADATA.class_names)
    assert [line[:4] for line in verdict.reasons] == ['FAIL', 'ok  ', 'ok  ', 'ok  ']


def test_a_class_that_the_teacher_cannot_tell_must_not_be_lost() -> None:
    """It calls c what is b; what it leaves open counts neither for nor against it."""
    before = [predictions([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1])]
    after = [predictions([0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2])]
    labels = TeacherLabels([np.array([[0, UNLABELLED, 2, 2]], np.uint8)], np.array([True, False, True]))
    found = compare(before, after, 3, labels)
    assert found.teacher.confirmed == 1.0 and found.kept == pytest.approx(1 / 3)
    assert judge(found, METADATA.class_names).reasons[2].endswith('are lost: b')
    silent = compare(before, after, 3, TeacherLabels([np.full((1, 4), UNLABELLED, np.uint8)], ALL))
    assert silent.teacher == TeacherAgreement(1.0, 0.0, 0.0)


def test_the_mirrored_view_is_aligned_with_the_frame() -> None:
    torch.manual_seed(0)
    checkpoint = Checkpoint(METADATA.build_network().eval(), METADATA)
    street = SyntheticStreet(128, 96, seed=1).frame(0).rgb
    found, mirrored = predict_views(checkpoint, [FramePair(street), FramePair(np.ascontiguousarray(street[:, ::-1]))], CPU)
    np.testing.assert_array_equal(mirrored.views['flip'], found.labels[:, ::-1])
    assert found.labels.shape == (24, 32) and found.labels.dtype == np.uint8 and set(found.views) == {'scale', 'flip'}
    assert 1 / 3 <= found.confidence.min() and found.confidence.max() <= 1


class Brightness(torch.nn.Module):
    """Classifies pixels by brightness: a is dark, c is bright, b between."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        level = torch.nn.functional.avg_pool2d(images.mean(1, keepdim=True), 8)
        return torch.cat([-level, 0.3 - level.abs(), level], 1) * 9


def test_the_previous_frame_is_warped_along_the_optical_flow() -> None:
    wide = SyntheticStreet(320, 192, seed=2).frame(0).rgb
    now, previous = (np.ascontiguousarray(wide[:, left:left + 256]) for left in (24, 8))        # the camera moves to the right
    checkpoint = Checkpoint(Brightness(), replace(METADATA, training_resolution=(192, 256)))        # type: ignore[arg-type]
    found, unwarped, other = predict_views(checkpoint, [FramePair(now, previous), FramePair(previous),
                                                        FramePair(now, previous[:64])], CPU)
    assert 'motion' not in unwarped.views and 'motion' not in other.views       # other: a frame of another size
    inside = np.s_[:, 6:-6]
    known = found.views['motion'][inside] != UNLABELLED
    agreed, in_place = ((labels == found.labels)[inside][known].mean() for labels in (found.views['motion'], unwarped.labels))
    assert known.mean() > 0.5 and agreed > 0.9 and in_place < 0.9


def test_labels_of_an_unrelated_previous_frame_are_not_compared() -> None:
    now = SyntheticStreet(256, 192, seed=2).frame(0).rgb
    noise = np.random.default_rng(0).integers(0, 256, now.shape, np.uint8)
    checkpoint = Checkpoint(Brightness(), replace(METADATA, training_resolution=(192, 256)))        # type: ignore[arg-type]
    found, = predict_views(checkpoint, [FramePair(now, noise)], CPU)
    assert (found.views['motion'] == UNLABELLED).mean() > 0.5
