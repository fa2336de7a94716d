# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures for people."""
from __future__ import annotations


def significant(value: float, digits: int = 3) -> str:
    """`value` to so many significant digits, and never with an exponent where it is large: 1530, not 1.53e+03."""
    return f'{float(f"{value:.{digits}g}"):.15g}'
