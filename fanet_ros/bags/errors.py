# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The errors for bags that cannot be read or written."""
from __future__ import annotations


class BagError(ValueError):
    """A bag cannot be read or written as requested; one line: what is wrong, and what to do."""


class StoreError(BagError):
    """An object store does not answer, or refuses; nothing is known about the bag."""
