# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read, write and check rosbag2 recordings, without ROS."""
