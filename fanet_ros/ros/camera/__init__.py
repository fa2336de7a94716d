# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera node: videos, folders of images, V4L2 devices and the synthetic street as a camera."""
