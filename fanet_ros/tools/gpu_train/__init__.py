# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train on a borrowed GPU for a fixed time."""
