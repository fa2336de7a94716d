# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network can be run on."""

MIN_INPUT_PX = 64       # below this the deepest feature map, at 1/64, would have no full pixel
