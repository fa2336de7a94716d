# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adapt a checkpoint to a recorded drive."""
