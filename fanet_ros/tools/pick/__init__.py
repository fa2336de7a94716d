# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the frames of a drive that are worth labelling."""
