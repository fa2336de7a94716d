# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processing across the frames of a video: scene cuts, temporal filter, attention to earlier frames."""
