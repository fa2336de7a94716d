# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a video has over single frames: scene cuts, filtering over time, attention to the frame before."""
