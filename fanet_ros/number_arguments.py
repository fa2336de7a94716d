# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of things on command lines."""
from __future__ import annotations

import argparse


def count_argument(text: str) -> int:
    """A whole number of at least 1, as a `type` for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r}: expected a whole number of at least 1')
    return int(text)
