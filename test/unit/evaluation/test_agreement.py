# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel agreement and IoU against values worked out by hand."""
from __future__ import annotations

import numpy as np
import pytest

from fanet_ros.evaluation.agreement import AgreementCounter

NAMES = ('sky', 'road', 'car')


def labels(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, np.uint8)


def test_known_values_over_two_frames() -> None:
    counter = AgreementCounter(NAMES)
    assert counter.add(labels((0, 0, 1, 1)), labels((0, 1, 1, 1))) == 0.75
    assert counter.add(labels((1, 255, 255, 0)), labels((1, 0, 1, 0))) == 1.0    # two are unlabelled
    result = counter.result()
    assert result is not None and result.frames == 2
    assert result.pixel_agreement == pytest.approx(5 / 6)
    assert result.class_iou == {'sky': pytest.approx(2 / 3), 'road': pytest.approx(3 / 4), 'car': None}
    assert result.mean_iou == pytest.approx((2 / 3 + 3 / 4) / 2)


def test_a_prediction_without_class_is_wrong() -> None:
    counter = AgreementCounter(NAMES)
    assert counter.add(labels((0, 0, 0, 0)), labels((0, 255, 3, 254))) == 0.25
    result = counter.result()
    assert result is not None and result.class_iou['sky'] == 0.25


def test_a_class_only_predicted_counts_as_zero() -> None:
    counter = AgreementCounter(NAMES)
    counter.add(labels((0, 0)), labels((0, 2)))
    result = counter.result()
    assert result is not None and result.class_iou == {'sky': 0.5, 'road': None, 'car': 0.0}


def test_many_classes_do_not_overflow() -> None:
    counter = AgreementCounter(tuple(f'class{number}' for number in range(40)))
    truth = np.arange(40, dtype=np.uint8).reshape(4, 10)
    assert counter.add(truth, truth) == 1.0


def test_nothing_counted() -> None:
    assert AgreementCounter(NAMES).result() is None
    assert np.isnan(AgreementCounter(NAMES).add(labels((255, 255)), labels((0, 1))))


def test_unequal_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match='equal shapes'):
        AgreementCounter(NAMES).add(labels((0, 1)), labels((0,)))
