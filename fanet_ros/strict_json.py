# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What JSON has no form of: NaN, which Python's json writes nevertheless, so that other readers refuse the whole file; tuples."""
from __future__ import annotations

import math
from typing import Any


def without_nan(value: Any) -> Any:
    """A copy of nested dicts, lists and tuples, for json.dump(), with None in place of each NaN."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def with_tuples(value: Any) -> Any:
    """`value` from JSON with tuples in place of lists."""
    return tuple(with_tuples(item) for item in value) if isinstance(value, list) else value
