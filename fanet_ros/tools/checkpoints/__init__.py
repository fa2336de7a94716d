# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Post-process trained checkpoints, and import the authors' weights."""
