# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks whether machine, camera and settings are ready for the segmentation node, before the robot moves."""
