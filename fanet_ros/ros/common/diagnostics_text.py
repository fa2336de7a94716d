# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keys of the node's diagnostics that the dashboard reads."""
from __future__ import annotations

IMAGE_TOPIC = 'image topic'     # of the camera, after remapping
