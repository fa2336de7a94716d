# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic street: its layout, what stands and moves in it, and the camera that sees it."""
