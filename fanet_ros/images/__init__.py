# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as cameras, messages and files carry them, made into arrays."""
