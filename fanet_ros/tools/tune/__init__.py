# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fastest resolution, engine and precision that are still right, on your own frames."""
