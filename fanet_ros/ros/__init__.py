# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2 nodes: the only place where rclpy and message packages are imported."""
