# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera node: publishes a video, a folder of images, a V4L2 device or the synthetic street."""
