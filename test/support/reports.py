# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node reports on /diagnostics."""
from __future__ import annotations

from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray


def reported(arrays: Sequence[DiagnosticArray], name: str) -> dict[str, str]:
    """Values of the newest report whose name starts with `name`, and its `message`; empty before the first."""
    return next(({'message': status.message, **{item.key: item.value for item in status.values}}
                 for array in reversed(arrays) for status in array.status if status.name.startswith(name)), {})
