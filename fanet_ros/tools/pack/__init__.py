# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The data of a recipe in a few files, for a machine that has none."""
