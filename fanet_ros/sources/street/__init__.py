# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic street: its plan, what stands and moves in it, and how a camera sees it."""
