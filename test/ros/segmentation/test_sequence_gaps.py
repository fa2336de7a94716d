# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detection of missed messages from sequence numbers."""
from __future__ import annotations

from typing import Optional

import pytest

from fanet_ros.ros.segmentation.sequence_gaps import SequenceGaps


@pytest.mark.parametrize(('numbers', 'missed'), [
    ([1, 2, 3], [0, 0, 0]),
    ([7, 8], [0, 0]),                           # joined late: earlier messages were not missed
    ([1, 3, 7, 8], [0, 1, 3, 0]),
    ([5, 1, 2], [0, 0, 0]),                     # another publisher, or a restarted one
    ([5, 1, 4], [0, 0, 2]),
    ([4, 4], [0, 0]),
    ([None, None], [0, 0]),                     # the middleware provides none
    ([1, None, 5, 7], [0, 0, 0, 1]),
    ([2**64 - 2, 2**64 - 1, 0], [0, 0, 0]),
])
def test_missed_before(numbers: list[Optional[int]], missed: list[int]) -> None:
    gaps = SequenceGaps()
    assert [gaps.missed_before(number) for number in numbers] == missed
