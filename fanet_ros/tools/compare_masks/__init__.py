# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where, and for which classes, the masks of two checkpoints differ."""
