# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command lines of the package: train, evaluate, demo, import_weights."""
