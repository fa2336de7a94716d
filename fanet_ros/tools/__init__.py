# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line tools of the package, run with `ros2 run fanet_ros <tool>`."""
