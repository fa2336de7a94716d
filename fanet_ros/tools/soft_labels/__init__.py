# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Predict soft labels for the frames of a recipe with a teacher network."""
