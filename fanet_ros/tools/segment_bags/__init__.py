# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks for an archive of bags, on one machine or a Ray cluster."""
