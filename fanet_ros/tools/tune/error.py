# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The error for a tuning that is impossible as requested."""
from __future__ import annotations


class TuneError(ValueError):
    """Tuning is impossible as requested; one line: what was expected, what came, what to do."""
