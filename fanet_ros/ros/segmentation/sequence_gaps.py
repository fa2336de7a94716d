# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that the middleware replaced by newer ones before the node could look at them."""
from __future__ import annotations

from typing import Optional


class SequenceGaps:
    """Finds missed messages by the sequence numbers that one publisher gives to its messages."""

    def __init__(self) -> None:
        self._last: Optional[int] = None

    def missed_before(self, number: Optional[int]) -> int:
        """How many messages are missing between the last one and this one, 0 if that cannot be known.

        :param number: sequence number of the message that came now; None where the middleware gives none
        """
        last, self._last = self._last, number
        if last is None or number is None or number <= last:     # the first one, or another publisher began
            return 0
        return number - last - 1
