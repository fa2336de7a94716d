# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera, node and recorder as a user would run them, and what came of it as a page."""
