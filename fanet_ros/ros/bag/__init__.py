# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder and the player: bags from topics, and topics from bags."""
