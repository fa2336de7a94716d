# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counts frames that the middleware dropped before the node received them."""
from __future__ import annotations

from typing import Optional


class SequenceGaps:
    """Detects missed messages from the sequence numbers of one publisher."""

    def __init__(self) -> None:
        self._last: Optional[int] = None

    def missed_before(self, number: Optional[int]) -> int:
        """How many messages are missing between the previous one and this one; 0 if unknown.

        :param number: sequence number of this message; None if the middleware provides none
        """
        last, self._last = self._last, number
        if last is None or number is None or number <= last:     # the first message, or a new publisher
            return 0
        return number - last - 1
