# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two classes for tests that need no real ones."""
from __future__ import annotations

from fanet_ros.inference import ClassMap

STREET = ClassMap('two', ('road', 'sky'), ((10, 20, 30), (40, 50, 60)))
