# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Demos: camera, node and recorder run as a user would run them, with a report from the bag; and live with the dashboard."""
