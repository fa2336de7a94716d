# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers on command lines: what is accepted, and one message for what is not."""
from __future__ import annotations

import argparse
from typing import Callable

import pytest

from fanet_ros.number_arguments import count_argument, not_negative_argument, positive_argument, share_argument


def test_numbers_in_range_are_accepted() -> None:
    assert (count_argument('12'), positive_argument('1e-3')) == (12, 0.001)
    assert (not_negative_argument('0'), share_argument('1')) == (0.0, 1.0)


@pytest.mark.parametrize(('read', 'texts', 'expected'), [
    (count_argument, ('0', '-1', '1.5', '²', 'x', ''), 'a whole number of at least 1'),
    (positive_argument, ('0', '-1', 'nan', 'inf', 'x', ''), 'a number above 0'),
    (not_negative_argument, ('-1', 'nan', 'inf', 'x', ''), 'a number of at least 0'),
    (share_argument, ('-0.1', '1.1', 'nan', 'inf', 'x', ''), 'a number from 0 to 1')])
def test_others_are_refused_with_what_was_expected(read: Callable[[str], float], texts: tuple[str, ...], expected: str) -> None:
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError, match=f"^'{text}': expected {expected}$"):
            read(text)
