# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of masks: metrics, flicker, calibration, and the report."""
