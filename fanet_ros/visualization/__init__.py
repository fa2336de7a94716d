# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks for the eye: contact sheets, videos with the overlay, lettering."""
