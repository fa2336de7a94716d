# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Interleaved benchmarks of networks, engines and precisions."""
