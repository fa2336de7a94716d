# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the best checkpoint, resolution, engine and precision for a camera, a machine and a latency budget."""
