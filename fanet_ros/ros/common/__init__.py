# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shared by all nodes: parameters, QoS, image conversion, and process start-up and shutdown."""
