# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Visualisation of masks: contact sheets, overlay videos and legends."""
