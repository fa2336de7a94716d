# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images from cameras, messages and files, decoded into arrays."""
