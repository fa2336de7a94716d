# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training FANet: data with labels, augmentation, losses, metrics and the loop. The `train` command drives it."""
