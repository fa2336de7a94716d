# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pack the data of a recipe into a few files, for transfer to another machine."""
