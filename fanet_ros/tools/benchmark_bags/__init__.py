# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of segment_bags on a synthetic archive."""
