# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The machine and the process that everything runs in. Imports nothing: a camera driver need not load torch."""
