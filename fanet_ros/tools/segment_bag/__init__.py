# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Add segmentation masks to a rosbag2."""
