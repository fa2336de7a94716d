# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What other programs look for in the node's diagnostics."""
from __future__ import annotations

IMAGE_TOPIC = 'image topic'     # of the camera, after remapping
STANDS_IN = ', until the fastest one is ready'      # follows the engine
