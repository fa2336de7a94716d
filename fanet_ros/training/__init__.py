# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of FANet: augmented batches, losses, optimisation and the loop. The `train` command drives it."""
