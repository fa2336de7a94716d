# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""End-to-end benchmarks over DDS."""
