# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The check of a robot before it moves."""
