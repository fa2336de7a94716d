# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers on command lines, as `type` for argparse."""
from __future__ import annotations

import argparse
import math


def count_argument(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a whole number of at least 1')
    return int(text)


def positive_argument(text: str) -> float:
    """A finite number above 0."""
    value = _finite(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a number above 0')
    return value


def not_negative_argument(text: str) -> float:
    """A finite number of at least 0."""
    value = _finite(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a number of at least 0')
    return value


def share_argument(text: str) -> float:
    """A number from 0 to 1."""
    value = _finite(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a number from 0 to 1')
    return value


def _finite(text: str) -> float:
    """NaN if `text` is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
