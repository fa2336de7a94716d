# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with bags."""
from __future__ import annotations


class BagError(ValueError):
    """A bag cannot be read or made as asked; one line: what is wrong, and what to give or do."""
