# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to a checkpoint after its training, and to those of others."""
