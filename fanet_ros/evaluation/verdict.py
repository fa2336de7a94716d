# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decision, without labels, whether a network that was adapted is better than before."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from fanet_ros.evaluation.label_free import RARE, Comparison, TeacherAgreement

LEAST_GAIN = 0.01           # of the mean agreement of the views, or with the teacher: less is within chance
LEAST_KEPT = 0.90           # share of the confident pixels with the same label as before
LEAST_KEPT_OF_CLASS = 0.5   # the same of one class, unless it is rare
LEAST_CONFIRMED = 0.70      # share of the confident pixels to which a teacher gives the same label: with less, it does not fit


@dataclass(frozen=True)
class Verdict:
    """Whether all checks passed, and one line for each."""

    is_better: bool
    reasons: tuple[str, ...]


def judge(comparison: Comparison, class_names: Sequence[str]) -> Verdict:
    """Whether the adapted network may replace the original.

    The views must agree better, confident labels must be kept, and no class may be lost. With a teacher, it must fit the drive, and
    it is the labels of the teacher that must agree better. See docs/adapting.md for how often this is right.
    """
    before, after = comparison.before, comparison.after
    lost = [name for name, kept, share in zip(class_names, comparison.kept_by_class, before.class_shares)
            if share > RARE and kept < LEAST_KEPT_OF_CLASS]
    teacher = comparison.teacher
    checks = [
        _gain(f"labels of the views ({', '.join(before.agreement)}) agree with the frame's", before.mean_agreement,
              after.mean_agreement) if teacher is None else
        _gain("the teacher's labels agree with the network's", teacher.before, teacher.after),
        (comparison.kept >= LEAST_KEPT, f'{100 * comparison.kept:.1f}% of the confident pixels keep their label'),
        (not lost, f'classes that were confident and are lost: {", ".join(lost) or "none"}')]
    if teacher is not None:
        checks.append(teacher_fits(teacher))
    return Verdict(all(passed for passed, _ in checks), tuple(f'{"ok  " if passed else "FAIL"} {text}' for passed, text in checks))


def teacher_fits(teacher: TeacherAgreement) -> tuple[bool, str]:
    """Whether the teacher confirms most of what the original is sure of, and a line that says so."""
    return teacher.confirmed >= LEAST_CONFIRMED, (
        f'the teacher agrees in {100 * teacher.confirmed:.1f}% of the pixels that the original is confident of; expected '
        f'{100 * LEAST_CONFIRMED:g}')


def _gain(what: str, before: float, after: float) -> tuple[bool, str]:
    return after - before >= LEAST_GAIN, (
        f'{what} by {100 * after:.1f}%, {100 * before:.1f}% before (mean IoU); expected {100 * LEAST_GAIN:g} more')
