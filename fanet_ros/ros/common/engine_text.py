# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How diagnostics name an engine that stands in for another one."""
from __future__ import annotations

STANDS_IN = ', until the fastest one is ready'      # follows the engine
