# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Selected frames of an archive, as small bags or as a folder to train on."""
