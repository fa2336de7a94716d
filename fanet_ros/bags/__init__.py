# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings: rosbag2 bags read, written and examined, without ROS."""
