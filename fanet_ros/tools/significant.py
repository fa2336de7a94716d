# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Number formatting for reports and messages."""
from __future__ import annotations


def significant(value: float, digits: int = 3) -> str:
    """Format `value` with `digits` significant digits, large values without an exponent: 1530, not 1.53e+03."""
    return f'{float(f"{value:.{digits}g}"):.15g}'
