# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all nodes share: parameters, quality of service, messages made into arrays, beginning and end of a process."""
