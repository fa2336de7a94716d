# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The machine and the process that everything runs in. Empty on purpose: a camera driver need not load torch."""
